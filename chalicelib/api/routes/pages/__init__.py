"""Pages for people who are signed in: what links in mails and alerts lead to."""

from chalicelib.api.routes.pages import (
    channels,
    cron,
    crons,
    incidents,
    maintenance,
    settings,
    sign_in,
    status_pages,
    team,
)

__all__ = ["channels", "cron", "crons", "incidents", "maintenance", "settings", "sign_in", "status_pages", "team"]
