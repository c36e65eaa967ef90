"""Compares what CronHub said and counted with the truth."""

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.driver import Alert, Figures, Heard, Outcome
from tests.simulation.truth import Judged, Trouble, Truth, Verdict, day_of
from tests.simulation.world import DAY, HOUR, MINUTE, SECOND, Execution, Job, Kind, World

# An alert must be out this long after its deadline.
_IN_TIME = 60 * SECOND
_QUIET = 15 * MINUTE
# Five changes within an hour may be summed up.
_FLAPPING = 4
_KINDS = {Verdict.MISSED: "missed", Verdict.FAILED: "failed", Verdict.TIMED_OUT: "timeout"}
_NOISE = ("anomaly", "overrunning", "drift", "late")
_FAR = 1 << 62


@dataclass
class Mistake:
    """Something that CronHub got wrong."""

    #: `late`, `missed`, `false` and so on.
    what: str
    at: int
    text: str


@dataclass
class Report:
    """What came of one job."""

    mistakes: list[Mistake] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, at: int, text: str) -> None:
        self.mistakes.append(Mistake(what, at, text))
        self.counts[what] += 1


def judge(world: World, job: Job, truth: Truth, outcome: Outcome) -> Report:
    report = Report()
    report.counts["occurrences"] = len(truth.judged)
    report.counts["either"] = sum(truth.ambiguous.values())
    report.counts["hours"] = max(0, world.until - job.created_at) // HOUR
    story = _Story(world, truth, outcome)
    _judge_alerts(story, report)
    _judge_false(story, report)
    _judge_last_words(story, report)
    _judge_noise(story, report)
    _judge_attribution(world, truth, outcome, report)
    _judge_figures(world, job, truth, outcome, report)
    return report


@dataclass
class _Change:
    """The cron goes down or comes up, in truth."""

    at: int
    down: bool
    trouble: Trouble | None = None


class _Story:
    """The true course of a cron: when it is down, and what of it must be told."""

    def __init__(self, world: World, truth: Truth, outcome: Outcome) -> None:
        self.until = world.until
        self.truth, self.alerts = truth, outcome.alerts
        self.changes = self._changes()
        self.change_times = [change.at for change in self.changes]

    def _changes(self) -> list[_Change]:
        happenings: list[tuple[int, int, Trouble | None]] = [(at, 0, None) for at in self.truth.goods]
        happenings += [(trouble.at, 1, trouble) for trouble in self.truth.troubles]
        changes: list[_Change] = []
        down = False
        for at, _, trouble in sorted(happenings, key=lambda one: one[:2]):
            if (trouble is not None) != down and at < self.until:
                down = trouble is not None
                changes.append(_Change(at, down, trouble))
        return changes

    def after(self, at: int) -> int:
        """When it changes next."""
        place = bisect_right(self.change_times, at)
        return self.change_times[place] if place < len(self.changes) else _FAR

    def is_down(self, at: int) -> bool:
        place = bisect_right(self.change_times, at)
        return self.changes[place - 1].down if place else False

    def changes_within(self, since: int, until: int) -> int:
        return bisect_right(self.change_times, until) - bisect_left(self.change_times, since)

    def may_flap(self, at: int) -> bool:
        """Whether what happens now may be summed up with what happened in the last hour."""
        flapped = any(
            alert.kind == "flapping" and alert.at - 2 * HOUR < at < alert.at + 2 * HOUR for alert in self.alerts
        )
        return flapped and self.changes_within(at - 2 * HOUR, at) >= _FLAPPING


def _judge_alerts(story: _Story, report: Report) -> None:
    """Each true opening is told in time."""
    for change in story.changes:
        trouble = change.trouble
        if trouble is None:
            continue
        over_at = story.after(change.at)
        latest = trouble.surely_at + _IN_TIME
        if latest >= story.until:
            continue
        report.counts["troubles"] += 1
        told = _first_told(story, trouble, over_at)
        if told is not None and told.at <= latest:
            report.counts["right"] += 1
        elif trouble.optional or over_at <= latest:
            report.counts["over before"] += 1
        elif story.may_flap(change.at):
            report.counts["summed up"] += 1
        elif told is not None:
            report.add(
                "late", change.at, f"{_say(trouble)}: told {(told.at - trouble.surely_at) // SECOND} s after"
            )
        else:
            report.add("missed", change.at, f"{_say(trouble)}: never told")


def _first_told(story: _Story, trouble: Trouble, over_at: int) -> Alert | None:
    return next(
        (
            alert
            for alert in story.alerts
            if alert.says_down and trouble.at - SECOND <= alert.at and alert.at < over_at + _IN_TIME
        ),
        None,
    )


def _judge_false(story: _Story, report: Report) -> None:
    """Each alert is true when it is sent."""
    for alert in story.alerts:
        if alert.kind in _KINDS.values():
            if not _is_borne_out(story, alert):
                report.add("false", alert.at, f"{alert.kind}: {alert.detail}")
        elif alert.kind == "recovered":
            place = bisect_right(story.truth.goods, alert.at)
            is_news = place and story.truth.goods[place - 1] >= alert.at - _IN_TIME
            # After a time of ups and downs, people are told the state that it settled in.
            if not is_news and story.is_down(alert.at):
                report.add("false", alert.at, f"recovered, with no success: {alert.detail}")


def _is_borne_out(story: _Story, alert: Alert) -> bool:
    """Whether there was such a trouble, and it was not over for long."""
    for trouble in story.truth.troubles:
        if _KINDS[trouble.kind] == alert.kind and trouble.at - SECOND <= alert.at:
            place = bisect_right(story.truth.goods, trouble.at)
            good = story.truth.goods[place] if place < len(story.truth.goods) else _FAR
            if alert.at <= max(trouble.surely_at, good) + _IN_TIME:
                return True
    return False


def _judge_last_words(story: _Story, report: Report) -> None:
    """When nothing has changed for a quarter of an hour, what was heard last is so."""
    ends = [*story.change_times[1:], story.until]
    for change, end in zip(story.changes, ends, strict=False):
        at = change.at + _IN_TIME + _QUIET
        if change.trouble is not None:
            if change.trouble.optional:
                continue
            at = max(at, change.trouble.surely_at + _IN_TIME)
        if at >= end or at >= story.until:
            continue
        spoken = [alert for alert in story.alerts if alert.says_down is not None and alert.at <= at]
        heard_down = bool(spoken and spoken[-1].says_down)
        report.counts["last words"] += 1
        if heard_down and not change.down:
            report.add("unclosed", change.at, f"well again, and last heard: {spoken[-1].kind}")
        elif change.down and not heard_down:
            last = spoken[-1].kind if spoken else "nothing"
            report.add("last word", change.at, f"down, and last heard: {last}")


def _judge_noise(story: _Story, report: Report) -> None:
    report.counts["noise"] = sum(
        alert.kind in _NOISE and not story.is_down(alert.at + MINUTE) for alert in story.alerts
    )


def _judge_attribution(world: World, truth: Truth, outcome: Outcome, report: Report) -> None:
    """Which run a signal is of, and which occurrence a run is of."""
    heard_of: dict[int, list[Heard]] = {}
    for heard in outcome.heard:
        if heard.sent.run is not None:
            heard_of.setdefault(heard.sent.run.number, []).append(heard)
    for judged in truth.judged:
        if judged.run is None or judged.settled_at >= world.until or judged.reason:
            continue
        all_heard = heard_of.get(judged.run.number, [])
        report.counts["runs"] += 1
        fault = _misattributed(judged, judged.run, all_heard, outcome)
        if fault:
            report.add("attributed", all_heard[0].sent.at if all_heard else judged.at, fault)


def _misattributed(judged: Judged, run: Execution, all_heard: list[Heard], outcome: Outcome) -> str:
    found = {heard.run_id for heard in all_heard}
    if run.what != "overtaken" and len(found) > 1:
        return f"the signals of run {run.number} are told apart: {len(found)} runs"
    ends = [heard for heard in all_heard if heard.sent.kind is not Kind.START]
    last = (ends or all_heard)[-1].run_id if all_heard else None
    recorded = outcome.runs.get(last or "")
    if recorded is None:
        return f"run {run.number} is not recorded"
    if recorded.occurrence != judged.at:
        return f"run {run.number} is recorded for {_clock(recorded.occurrence)} instead of {_clock(judged.at)}"
    return ""


def _judge_figures(world: World, job: Job, truth: Truth, outcome: Outcome, report: Report) -> None:
    """Per day: how many occurrences were met, missed, failed and timed out."""
    by_day: dict[int, list[Judged]] = {}
    for judged in truth.judged:
        by_day.setdefault(day_of(judged.at), []).append(judged)
    for day, occurrences in by_day.items():
        settled = max(judged.settled_at for judged in occurrences)
        if max(settled, (day + 1) * DAY) + DAY >= world.until:
            continue
        report.counts["days"] += 1
        counted = outcome.figures.get(day, Figures())
        fault = _miscounted(occurrences, counted)
        if fault:
            report.add("figures", day * DAY, f"{_clock(day * DAY)[:10]}: {fault}")


def _miscounted(occurrences: list[Judged], counted: Figures) -> str:
    faults = []
    if counted.expected != len(occurrences):
        faults.append(f"{counted.expected} expected, truly {len(occurrences)}")
    for name, verdict in (("met", Verdict.MET), ("missed", Verdict.MISSED), ("excused", Verdict.EXCUSED)):
        low = sum(judged.allowed == {verdict} for judged in occurrences)
        high = sum(verdict in judged.allowed for judged in occurrences)
        number = getattr(counted, name)
        if not low <= number <= high:
            faults.append(f"{number} {name}, truly {low}" + (f" to {high}" if high > low else ""))
    return ", ".join(faults)


def _say(trouble: Trouble) -> str:
    return f"{trouble.kind.value}, {_clock(trouble.occurrence)}"


def _clock(at: int | None) -> str:
    from datetime import UTC, datetime

    return "none" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}"
