"""One file per resource. Each declares its routes; here they are all declared."""

from chalicelib.api.http.route import ROUTES
from chalicelib.api.routes import (
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

__all__ = [
    "ROUTES",
    "channels",
    "crons",
    "dependencies",
    "health",
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
    "sessions",
    "signals",
    "static",
]
