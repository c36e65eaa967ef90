"""One file per resource. To import this package is to declare every route."""

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
    signals,
)

__all__ = [
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
    "signals",
]
