"""CronHub as a WSGI application, for any WSGI server."""

import os

from app import app
from infra.local.api_gateway import Gateway

application = Gateway(app, trust_proxy=os.environ.get("CRONHUB_TRUST_PROXY") == "1")
