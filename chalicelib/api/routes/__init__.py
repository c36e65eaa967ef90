"""One file per resource. Each declares its routes; here they are all declared."""

from chalicelib.api.http.route import ROUTES
from chalicelib.api.routes import (
    badges,
    channels,
    crons,
    dependencies,
    health,
    incidents,
    maintenance,
    members,
    metrics,
    openapi,
    orgs,
    pages,
    projects,
    runs,
    schedules,
    sessions,
    signals,
    static,
)
from chalicelib.api.routes.compat import cronitor, healthchecks_pings, sentry

__all__ = [
    "ROUTES",
    "badges",
    "channels",
    "cronitor",
    "crons",
    "dependencies",
    "health",
    "healthchecks_pings",
    "incidents",
    "maintenance",
    "members",
    "metrics",
    "openapi",
    "orgs",
    "pages",
    "projects",
    "runs",
    "schedules",
    "sentry",
    "sessions",
    "signals",
    "static",
]
