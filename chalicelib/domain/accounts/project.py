"""A project: a name under which an org's crons can be grouped."""

from datetime import datetime
from typing import NamedTuple


class Project(NamedTuple):
    org_id: str
    id: str
    name: str
    description: str
    created_at: datetime
