"""How a cron stands by its own state: what is found and counted without reading every cron."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.monitor.cron import Cron, OpenIncident, OpenRun, Settings, Status
from chalicelib.domain.monitor.display_status import DisplayStatus, display_status
from chalicelib.domain.monitor.standing import standing

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CRON = Cron("0123456789ab", "id", "shop", "nightly", "backup", Settings("0 12 * * *"), NOW, status=Status.UP)
RUN = OpenRun("run", NOW, NOW)
INCIDENT = OpenIncident("incident", NOW)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        (CRON, "up"),
        (CRON._replace(status=Status.NEW), "new"),
        (CRON._replace(status=Status.NEW, open_runs=(RUN,)), "new"),
        (CRON._replace(open_runs=(RUN,)), "up"),
        (CRON._replace(status=Status.PAUSED), "paused"),
        (CRON._replace(status=Status.PAUSED, archived_at=NOW), "archived"),
        (CRON._replace(status=Status.DOWN, incident=INCIDENT), "down"),
        (CRON._replace(status=Status.DOWN, incident=INCIDENT, late_alerted=True), "down"),
        (
            CRON._replace(status=Status.DOWN, incident=INCIDENT._replace(held=True), held_until=NOW),
            "in_maintenance",
        ),
        (CRON._replace(held_until=NOW), "in_maintenance"),
        (CRON._replace(is_blocked=True, late_alerted=True), "blocked"),
        (CRON._replace(expected_at=NOW, late_alerted=True), "late"),
        (CRON._replace(expected_at=NOW, late_alerted=True, open_runs=(RUN,)), "up"),
    ],
)
def test_the_standing(cron: Cron, expected: str) -> None:
    assert standing(cron) == expected


def test_it_is_what_is_shown_but_for_the_clock_and_runs() -> None:
    at = NOW + timedelta(minutes=20)
    late = CRON._replace(expected_at=NOW, late_alerted=True)

    assert standing(late) is display_status(late, at) is DisplayStatus.LATE
    assert display_status(CRON._replace(open_runs=(RUN,)), at) is DisplayStatus.RUNNING
