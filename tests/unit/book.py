"""A store of one cron in memory: what the real one would hold after each decision."""

from datetime import date, datetime

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.runs.run import Run

_DEFAULTS = Run("", "", None)  # type: ignore[arg-type]


class Book:
    def __init__(self, cron: Cron) -> None:
        self.cron = cron
        self.runs: dict[str, Run] = {}
        self.rollups: dict[date, Counts] = {}

    def commit(self, decision: Decision) -> None:
        assert not any(decision.not_loaded), "decided without all that it turned on"
        if decision.replay:
            return
        self.cron = decision.cron
        for run, new, removed, _ in decision.writes:
            if removed:
                del self.runs[run.id]
                continue
            assert not (new and run.id in self.runs), f"{run} is recorded twice"
            self.runs[run.id] = run if new else _updated(self.runs[run.id], run)
        for day, counts in decision.finished_days:
            assert day not in self.rollups, f"{day} moved out twice"
            self.rollups[day] = counts
        for day, counts in decision.past_days:
            self.rollups[day] = sum_counts([self.rollups.get(day, Counts()), counts])

    def days(self) -> dict[date, Counts]:
        today = self.cron.today
        return {**self.rollups, **({today.day: today.counts} if isinstance(today, DailyCounts) else {})}

    def find(self, key: str | None) -> Run | None:
        return next((run for run in self.runs.values() if key is not None and key in (run.key, run.id)), None)


def _updated(record: Run, run: Run) -> Run:
    """As the store does it: what is not known now stays as it was."""
    known = {
        name: value
        for name, value in run._asdict().items()
        if value is not None and not (value is False and name == "late")
    }
    return record._replace(**known)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
