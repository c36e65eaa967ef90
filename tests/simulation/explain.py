"""The course of events around a mistake, for a person to read and replay."""

from datetime import UTC, datetime

from tests.simulation.driver import Outcome
from tests.simulation.truth import Truth
from tests.simulation.world import HOUR, Job, Sent

_AROUND = 12


def explain(job: Job, truth: Truth, outcome: Outcome, at: int) -> str:
    """What was sent, what is true and what was told, the nearest to `at`."""
    lines = [
        (heard.sent.at, _sent(heard.sent, heard.run_id, heard.replay, heard.blocked)) for heard in outcome.heard
    ]
    lines += [
        (judged.at, f"    . due: truly {judged.verdict.value}{f' ({judged.reason})' if judged.reason else ''}")
        for judged in truth.judged
    ]
    lines += [
        (
            trouble.at,
            f"    ! truly {trouble.kind.value}{f' (optional: {trouble.optional})' if trouble.optional else ''}",
        )
        for trouble in truth.troubles
    ]
    lines += [
        (alert.at, f"    > {alert.kind.upper()}: {alert.detail}  [about {_clock(alert.about)}]")
        for alert in outcome.alerts
    ]
    lines.sort(key=lambda line: line[0])
    nearest = sorted(lines, key=lambda line: abs(line[0] - at))[: 2 * _AROUND]
    settings = f"grace {job.grace_s or 'default'}, max_runtime {job.max_runtime_s or 'default'}, {job.style.value}"
    shown = [f"    {_clock(when)} {text}" for when, text in sorted(nearest, key=lambda line: line[0])]
    return "\n".join([f"    {job.schedule} {job.zone}, {settings}", *shown])


def _sent(sent: Sent, run_id: str | None, replay: bool, blocked: bool) -> str:
    number = "" if sent.run is None else f" (run {sent.run.number}, {sent.run.what})"
    notes = "".join(
        (" repeated" if sent.repeated else "", " → replay" if replay else "", " → 409" if blocked else "")
    )
    return f"{sent.kind.value}{number}{notes} → {(run_id or 'none')[-8:]}"


def _clock(at: int | None) -> str:
    return "none" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M:%S.%f}"[:-5]


assert HOUR
