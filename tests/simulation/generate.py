"""Makes a world out of a profile and a seed: the same one each time."""

from datetime import UTC, datetime
from random import Random

from tests.simulation.debian_cron import run_times
from tests.simulation.profiles import ZONES, Profile
from tests.simulation.world import DAY, HOUR, MINUTE, SECOND, Execution, Job, Kind, Sent, Style, World

# Days just before a clock changes somewhere, and a quiet one.
_BEGINNINGS = ("2026-03-02", "2026-03-24", "2026-03-30", "2026-06-01", "2026-09-30", "2026-10-20", "2026-10-28")
# Of frequent jobs a part of the time will do.
_MOST_RUNS = 4000


def make_world(profile: Profile, seed: int, days: int) -> World:
    rng = Random(f"{profile.name} {seed}")
    since = int(datetime.fromisoformat(rng.choice(_BEGINNINGS)).replace(tzinfo=UTC).timestamp()) * SECOND
    schedule = profile.schedules[seed % len(profile.schedules)]
    job = _job(profile, rng, schedule, since, days)
    until = since + days * DAY
    if len(job.occurrences) > _MOST_RUNS:
        del job.occurrences[_MOST_RUNS:]
        until = min(until, job.occurrences[-3])
    _run(profile, rng, job, until)
    world = World(profile.name, seed, since, until, [job], rng.randrange(MINUTE))
    world.windows = _stretches(rng, profile.maintenance, (since + 2 * DAY, until), 6 * HOUR)
    world.tick_outages = _stretches(rng, profile.tick_outages, (since + 2 * DAY, until), 2 * HOUR)
    world.double_ticks = profile.double_ticks
    return world


def _stretches(rng: Random, number: float, within: tuple[int, int], longest: int) -> list[tuple[int, int]]:
    """So many stretches of time per 30 days, apart from each other."""
    since, until = within
    found: list[tuple[int, int]] = []
    at = since
    while number and at < until:
        at += int(rng.uniform(0.5, 1.5) * 30 * DAY / number)
        length = rng.randrange(20 * MINUTE, longest) // MINUTE * MINUTE
        found.append((at // MINUTE * MINUTE, at // MINUTE * MINUTE + length))
        at += length
    return found


def _job(profile: Profile, rng: Random, schedule: str, since: int, days: int) -> Job:
    zone = rng.choice(ZONES)
    created_at = since + rng.randrange(DAY)
    beyond = since + (days + 70) * DAY
    times = run_times(schedule, zone, created_at // SECOND + 1, beyond // SECOND)
    job = Job(schedule, rng.choice(profile.styles), schedule, zone, created_at, [at * SECOND for at in times])
    gaps = [after - before for before, after in zip(job.occurrences, job.occurrences[1:], strict=False)]
    if profile.long_grace:
        job.grace_s = min(gaps) // SECOND * rng.choice((2, 3, 5)) - rng.randrange(10)
    if profile.limits:
        job.max_runtime_s = max(60, int(min(gaps) / SECOND * profile.busy[1] * 2.5))
    return job


class _Host:
    """The host that a job runs on: its clock, its outages, how long the job usually takes."""

    def __init__(self, profile: Profile, rng: Random, job: Job, until: int) -> None:
        self.profile, self.rng, self.job = profile, rng, job
        gap = min(after - before for before, after in zip(job.occurrences, job.occurrences[1:], strict=False))
        self.usual = max(int(min(gap, DAY / 4) * rng.uniform(*profile.busy)), 500)
        # A host is as wrong as it is: some are fast, some are slow.
        self.ahead = int(rng.uniform(0, profile.fast) * SECOND)
        self.behind = int(rng.uniform(0, profile.slow) * SECOND) if not self.ahead else 0
        self.outages = self._outages(until)
        self.crashes_until = 0

    def _outages(self, until: int) -> list[tuple[int, int]]:
        number = int(self.profile.outages * (until - self.job.created_at) / (30 * DAY) + self.rng.random())
        starts = [self.rng.randrange(self.job.created_at, until) for _ in range(number)] if number else []
        return [(start, start + self.rng.randrange(10 * MINUTE, 10 * HOUR)) for start in starts]

    def is_down(self, at: int) -> bool:
        return any(start <= at < end for start, end in self.outages)

    def duration(self) -> int:
        usual = self.usual * self.rng.uniform(0.8, 1.25)
        return int(usual * self.rng.uniform(1.2, 2) if self.rng.random() < self.profile.long else usual)

    def crashes(self, at: int) -> bool:
        profile, rng = self.profile, self.rng
        if at >= self.crashes_until and rng.random() < profile.hung:
            streak = rng.random() < profile.crash_streaks
            self.crashes_until = at + (rng.randrange(HOUR, 12 * HOUR) if streak else 1)
        return at < self.crashes_until


def _run(profile: Profile, rng: Random, job: Job, until: int) -> None:
    host = _Host(profile, rng, job, until)
    busy_until = 0
    for index, occurrence in enumerate(job.occurrences[:-1]):
        if occurrence >= until:
            break
        # The first ones are well: a new job is tried out by hand.
        settled = index >= 4
        begins = occurrence - host.ahead + host.behind + _lateness(host, index)
        down = host.is_down(begins) or (settled and rng.random() < profile.missed)
        if down or (profile.flock and begins < busy_until) or begins <= job.created_at:
            continue
        busy_until = _execute(host, job, index, begins, settled)
    job.sent = [one for one in sorted(job.sent, key=lambda sent: sent.at) if one.at < until]


def _lateness(host: _Host, index: int) -> int:
    """Late, but within the grace and before the next one is due: else nobody could know what it is for."""
    rng, job = host.rng, host.job
    lateness = int(rng.uniform(0, 900))
    if rng.random() >= host.profile.late:
        return lateness
    room = min(job.grace_after(index), job.gap_after(index)) - host.behind - 2 * SECOND
    if not job.style.has_start:
        room -= 2 * host.usual
    return max(lateness, int(rng.uniform(0, 0.9) * room))


def _execute(host: _Host, job: Job, index: int, begins: int, settled: bool) -> int:
    """One run and its signals; until when it keeps the job busy."""
    profile, rng = host.profile, host.rng
    run = Execution(len(job.executions), job.occurrences[index])
    job.executions.append(run)
    run.key = f"run-{run.number}" if job.style is Style.IDS else None
    working = begins
    if job.style.has_start:
        working = _start(host, job, run, begins, settled)
    duration = host.duration()
    if settled and (host.crashes(begins) or host.is_down(working + duration)):
        run.what = "crashed"
        run.succeeded = False
        return working + duration // 2
    run.succeeded = not (settled and rng.random() < profile.failed)
    run.what = run.what or ("well" if run.succeeded else "failed")
    ends = working + duration
    run.duration = duration
    if settled and job.style.has_start and run.started_at is not None and rng.random() < profile.lost_ends:
        run.what = "end lost"
        return ends
    kind = Kind.SUCCESS if run.succeeded else Kind.FAIL
    given = duration if job.style is Style.HEARTBEAT else None
    run.ended_at = _send(host, job, Sent(ends + _network(rng), kind, run, run.key, given))
    if run.started_at is not None and settled and rng.random() < profile.delayed:
        _overtake(host, job, run)
    return ends


def _start(host: _Host, job: Job, run: Execution, begins: int, settled: bool) -> int:
    """Sends the start; when the work begins: curl has its answer by then, or has given up."""
    rng = host.rng
    if settled and rng.random() < host.profile.lost_starts:
        run.what = "start lost"
        return begins + 2 * SECOND
    arrives = begins + _network(rng)
    last = _send(host, job, Sent(arrives, Kind.START, run, run.key))
    run.started_at = arrives
    return last + 50


def _send(host: _Host, job: Job, sent: Sent) -> int:
    """Sends a signal, now and then more than once as curl --retry does; when it arrives for the last time."""
    job.sent.append(sent)
    last = sent.at
    if host.rng.random() < host.profile.repeated:
        for pause in (1, 2, 4)[: host.rng.randint(1, 3)]:
            last += pause * SECOND + host.rng.randrange(300)
            job.sent.append(Sent(last, sent.kind, sent.run, sent.key, sent.duration_ms, repeated=True))
    return sent.at if sent.kind is not Kind.START else last


def _overtake(host: _Host, job: Job, run: Execution) -> None:
    """The start is delivered after the end, within a minute of it."""
    assert run.ended_at is not None
    run.what = "overtaken"
    run.started_at = run.ended_at + host.rng.randrange(500, 50 * SECOND)
    for sent in job.sent:
        if sent.run is run and sent.kind is Kind.START:
            sent.at = run.started_at


def _network(rng: Random) -> int:
    return rng.randrange(30, 400)
