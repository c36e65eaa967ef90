"""The report of a week or a month: when it comes, and what it says."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.accounts.report_plan import ReportEvery, ReportPlan, next_report, period_began
from chalicelib.domain.alerts.report import Findings, Report, Span, report_of, span_words
from chalicelib.domain.monitor.cron import Cron, OpenIncident, Reason, Status
from chalicelib.domain.monitor.incident import Incident, NamedIncident
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.sla import Sla
from tests.unit.watched import at, new_cron

#: Mondays.
SINCE, UNTIL = at("08 08:00"), at("15 08:00")
WEEK = Span(SINCE, UNTIL, "UTC", "Weekly")


def cron(name: str, **more: Any) -> Cron:
    made = new_cron(at("2026-01-01 00:00"), schedule="0 * * * *")._replace(
        id=name, name=name, status=Status.UP, last_signal_at=at("15 07:00")
    )
    return made._replace(**more)


def incident(cron_id: str, opened: str, resolved: str | None) -> NamedIncident:
    ended = None if resolved is None else at(resolved)
    found = Incident("org", f"{cron_id} {opened}", cron_id, Reason.FAILED, at(opened), 0, ended)
    return NamedIncident(found, "shop", "billing", cron_id)


def report(*crons: Cron, incidents: tuple[NamedIncident, ...] = (), slas: dict[str, Sla] | None = None) -> Report:
    return report_of("Shop", WEEK, Findings(crons, incidents, slas or {}))


def test_where_all_is_well_nothing_needs_anybody() -> None:
    assert report(cron("backup"), cron("gone", archived_at=at("10 00:00"))) == Report(
        "Weekly report of Shop: nothing is down",
        "Shop: 2026-06-08 to 2026-06-15 (UTC).\n\n1 cron watched, 0 incidents.\n\nNothing needs you.",
    )


def test_what_needs_a_person_comes_first_and_the_longest_down_before_the_rest() -> None:
    down = cron("new", status=Status.DOWN, reason=Reason.FAILED, incident=OpenIncident("i", at("15 06:48")))
    older = cron(
        "old",
        status=Status.DOWN,
        reason=Reason.MISSED,
        incident=OpenIncident("i", at("05 08:00"), acknowledged=True),
    )
    healed = cron("healed")
    seen = (
        incident("healed", "09 10:00", "09 10:30"),
        incident("healed", "10 10:00", "10 11:00"),
        incident("new", "15 06:48", None),
    )
    found = report(down, older, healed, incidents=seen)

    assert found.title == "Weekly report of Shop: 2 crons down"
    assert found.text.split("\n\n")[1:] == [
        "3 crons watched, 3 incidents.",
        "Down now (2):\n"
        "- shop/billing/old did not run; down for 10 days, acknowledged\n"
        "- shop/billing/new failed; down for 1 h 12 min, nobody acknowledged it",
        "Failed and recovered (1):\n- shop/billing/healed: 2 incidents, down for 1 h 30 min",
    ]


def test_an_incident_counts_in_the_time_that_the_report_tells_of() -> None:
    before, across = incident("a", "01 10:00", "02 10:00"), incident("a", "08 07:00", "08 09:00")

    text = report(cron("a"), incidents=(before, across)).text

    assert "1 incident." in text
    assert "- shop/billing/a: 1 incident, down for 1 h" in text


def test_an_sla_is_told_of_when_it_is_broken_and_when_it_is_about_to_be() -> None:
    slas = {
        "broken": Sla(99.0, 96.67, 0.3, 1),
        "worse": Sla(99.0, 90.0, 0.3, 3),
        "near": Sla(99.0, 99.2, 5.0, 4),
        "well": Sla(99.0, 99.8, 5.0, 1),
        "unused": Sla(99.0, None, 0.0, 0),
        "unknown": Sla(99.0, 50.0, 1.0, 5),
    }
    text = report(*(cron(name) for name in slas if name != "unknown"), slas=slas).text

    assert text.split("\n\n")[2:] == [
        "Below their SLA of the last 30 days (2):\n"
        "- shop/billing/worse has 90.00% of 99%, 3 not met\n"
        "- shop/billing/broken has 96.67% of 99%, 1 not met",
        "About to break their SLA (1):\n- shop/billing/near has 99.20% of 99%, 4 not met",
    ]


@pytest.mark.parametrize(
    ("durations", "told"),
    [
        ((60_000,) * 20 + (600_000,) * 10, "takes 10 min, before 1 min"),
        ((2_000,) * 10 + (4_500,) * 10, "takes 4.5 s, before 2.0 s"),
        # One slow run is no trend; half a second is nothing; of few runs nothing is known.
        ((60_000,) * 29 + (600_000,), None),
        ((100,) * 20 + (600,) * 10, None),
        ((60_000,) * 9 + (600_000,) * 10, None),
    ],
)
def test_a_cron_that_becomes_slow_is_told_of(durations: tuple[int, ...], told: str | None) -> None:
    text = report(cron("export", baseline=Baseline(durations))).text

    assert (f"Slower than before (1):\n- shop/billing/export {told}" in text) is (told is not None)
    assert ("Slower" in text) is (told is not None)


def test_a_cron_that_was_never_heard_of_is_told_of_once_it_is_older_than_the_report() -> None:
    old = cron("old", status=Status.NEW, last_signal_at=None)
    young = cron("young", status=Status.NEW, last_signal_at=None, created_at=at("10 00:00"))

    assert report(old, young).text.endswith("Never heard of (1):\n- shop/billing/old")


def test_a_section_names_ten_and_counts_the_rest() -> None:
    lost = [cron(f"c{number:03}", status=Status.NEW, last_signal_at=None) for number in range(500)]
    text = report(*lost).text

    assert "Never heard of (500):\n- shop/billing/c000\n" in text
    assert text.endswith("- shop/billing/c009\n- and 490 more")


def test_a_report_that_did_not_read_all_incidents_says_so() -> None:
    assert "more incidents than a report reads" in report_of("Shop", WEEK, Findings((), (), {}, True)).text


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(seconds=20), "under a minute"),
    ],
)
def test_a_span_in_words(span: timedelta, words: str) -> None:
    assert span_words(span) == words


PARIS_MONDAYS = ReportPlan(ReportEvery.WEEKLY, 1, 8, "Europe/Paris")


@pytest.mark.parametrize(
    ("plan", "after", "due"),
    [
        (PARIS_MONDAYS, "2026-03-23 06:59", "2026-03-23 07:00"),
        # Summer time begins on 29 March.
        (PARIS_MONDAYS, "2026-03-23 07:00", "2026-03-30 06:00"),
        (ReportPlan(ReportEvery.WEEKLY, 7, 0, "UTC"), "2026-03-23 07:00", "2026-03-29 00:00"),
        (ReportPlan(ReportEvery.MONTHLY, 28, 23, "UTC"), "2026-01-31 00:00", "2026-02-28 23:00"),
        # 02:00 is skipped that day: as Debian's cron does it, it comes right after.
        (ReportPlan(ReportEvery.WEEKLY, 7, 2, "Europe/Paris"), "2026-03-28 00:00", "2026-03-29 01:00"),
    ],
)
def test_it_is_due_by_the_clock_of_its_zone(plan: ReportPlan, after: str, due: str) -> None:
    assert next_report(plan, at(after)) == at(due)


def test_it_tells_of_the_time_since_the_one_before() -> None:
    assert period_began(PARIS_MONDAYS, at("2026-03-30 06:00")) == at("2026-03-23 07:00")
    assert next_report(ReportPlan(), at("2026-03-30 06:00")) is None
    assert period_began(ReportPlan(), at("2026-03-30 06:00")) is None
