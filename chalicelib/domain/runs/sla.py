"""How well a cron keeps what was promised of it."""

from typing import NamedTuple

from chalicelib.domain.runs.counts import Counts


class Sla(NamedTuple):
    target: float
    #: Met occurrences per cent of those that count; None of none.
    compliance: float | None
    #: How many may go unmet under the target.
    allowed: float
    #: How many did.
    unmet: int

    @property
    def is_met(self) -> bool | None:
        return None if self.compliance is None else self.compliance >= self.target

    @property
    def budget_left_percent(self) -> float | None:
        """What is left of the unmet ones that the target allows: 100 of none used, below 0 of too many."""
        if self.compliance is None:
            return None
        if self.allowed == 0:
            return 100.0 if self.unmet == 0 else -100.0 * self.unmet
        return 100 * (self.allowed - self.unmet) / self.allowed


def sla_of(counts: Counts, target: float) -> Sla:
    """Excused occurrences count for nothing; an extra run makes up for no occurrence."""
    counted = counts.expected - counts.excused
    compliance = 100 * counts.met / counted if counted else None
    return Sla(target, compliance, counted * (100 - target) / 100, counted - counts.met)
