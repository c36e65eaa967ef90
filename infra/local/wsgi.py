"""CronHub as a WSGI application, for any WSGI server: `gunicorn infra.local.wsgi:application`."""

import os

from app import app
from infra.local import chosen_store
from infra.local.api_gateway import Gateway

chosen_store.use()

application = Gateway(app, trust_proxy=os.environ.get("CRONHUB_TRUST_PROXY") == "1")
