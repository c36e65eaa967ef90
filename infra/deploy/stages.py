"""The stages, and what differs between them."""

from typing import NamedTuple


class Stage(NamedTuple):
    name: str
    prefix: str
    #: Its tables outlive a mistake, also that of deleting the stack.
    keeps_data: bool
    log_days: int
    #: How long alarms are watched after a change; when one rings, the change is taken back.
    watched_minutes: int


STAGES = {
    stage.name: stage
    for stage in (
        Stage("dev", "cronhub-dev", keeps_data=False, log_days=14, watched_minutes=0),
        Stage("prod", "cronhub", keeps_data=True, log_days=90, watched_minutes=5),
    )
}
