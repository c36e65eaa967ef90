"""The fleets that are simulated: one profile for each way in which hosts and jobs go wrong."""

from dataclasses import dataclass, replace

from tests.simulation.world import Style

EVERYDAY = (
    "* * * * *",
    "*/2 * * * *",
    "*/5 * * * *",
    "*/15 * * * *",
    "0 * * * *",
    "7 * * * *",
    "15,45 * * * *",
    "0 */6 * * *",
    "5 4,16 * * *",
    "30 2 * * *",
    "0 2 * * *",
    "@daily",
    "*/10 8-18 * * 1-5",
    "0 9 * * mon-fri",
    "0 3 * * 0",
    "0 4 1 * *",
    "0,1 10 * * *",
    "0 0 */2 * *",
)
FREQUENT = ("* * * * *", "*/2 * * * *", "*/5 * * * *", "*/15 * * * *", "0 * * * *")
CALM = tuple(one for one in EVERYDAY if one not in ("* * * * *", "*/2 * * * *", "0,1 10 * * *"))
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")

NO_IDS = (Style.CURL,)
WITH_IDS = (Style.IDS,)


@dataclass(frozen=True)
class Profile:
    """The shares are of runs."""

    name: str
    styles: tuple[Style, ...]
    schedules: tuple[str, ...] = EVERYDAY
    #: How many seconds the hosts' clocks may be off.
    fast: float = 0
    #: How many seconds the hosts' clocks may be off.
    slow: float = 0
    #: Share of runs that begin late, within the grace · too_late: beyond it.
    late: float = 0
    missed: float = 0
    failed: float = 0
    hung: float = 0
    crash_streaks: float = 0
    lost_starts: float = 0
    lost_ends: float = 0
    repeated: float = 0
    #: Share of runs whose start is delivered after their end.
    delayed: float = 0
    #: Share of runs that take up to twice as long.
    long: float = 0
    #: A usual run's share of the period, from and to.
    busy: tuple[float, float] = (0.01, 0.3)
    #: A run is skipped while the one before goes on.
    flock: bool = False
    #: Of the host, per 30 days.
    outages: float = 0
    long_grace: bool = False
    limits: bool = False
    #: Maintenance windows, and outages of the tick, per 30 days.
    maintenance: float = 0
    tick_outages: float = 0
    double_ticks: bool = False

    @property
    def has_ids(self) -> bool:
        """Whether CronHub can always know which run a signal is about."""
        return not set(self.styles) & {Style.CURL}


def _both(name: str, base: Profile) -> tuple[Profile, Profile]:
    """The same with and without ids."""
    return (
        replace(base, name=f"{name}-curl", styles=NO_IDS),
        replace(base, name=f"{name}-ids", styles=WITH_IDS),
    )


_PLAIN = Profile("", NO_IDS)
_EVERYTHING = replace(
    _PLAIN,
    late=0.05,
    missed=0.003,
    failed=0.005,
    hung=0.003,
    crash_streaks=0.1,
    lost_starts=0.002,
    lost_ends=0.002,
    repeated=0.05,
    long=0.01,
    outages=1,
)

PROFILES = {
    profile.name: profile
    for profile in (
        *_both("healthy", replace(_PLAIN, late=0.1, slow=5, long=0.01)),
        Profile("healthy-ping", (Style.PING,), busy=(0.001, 0.01), late=0.1),
        Profile("healthy-heartbeat", (Style.HEARTBEAT,), busy=(0.001, 0.01), late=0.1),
        *_both("misses", replace(_PLAIN, missed=0.01, failed=0.01)),
        Profile("misses-ping", (Style.PING,), busy=(0.001, 0.01), missed=0.01, failed=0.01),
        *_both("crashes", replace(_PLAIN, hung=0.02, crash_streaks=0.2)),
        *_both("crashes-limits", replace(_PLAIN, hung=0.02, limits=True)),
        *_both("retries", replace(_PLAIN, repeated=0.1, failed=0.01, missed=0.003, hung=0.003)),
        *_both("fast-clocks", replace(_PLAIN, fast=25, failed=0.005)),
        *_both("slow-clocks", replace(_PLAIN, slow=30, late=0.1, failed=0.005, missed=0.005)),
        *_both("late", replace(_PLAIN, late=0.5, missed=0.005)),
        *_both("long-grace", replace(_PLAIN, schedules=FREQUENT, long_grace=True, missed=0.02, outages=2)),
        *_both("overlaps", replace(_PLAIN, schedules=FREQUENT, busy=(0.7, 1.4), failed=0.005)),
        *_both("flock", replace(_PLAIN, schedules=FREQUENT, busy=(0.5, 0.9), long=0.05, flock=True)),
        *_both("outages", replace(_PLAIN, outages=4)),
        *_both("lost", replace(_PLAIN, lost_starts=0.01, lost_ends=0.01)),
        *_both("reordered", replace(_PLAIN, schedules=CALM, busy=(0.0005, 0.01), delayed=0.05, hung=0.005)),
        *_both("maintenance", replace(_PLAIN, maintenance=6, missed=0.01, failed=0.01, hung=0.005)),
        *_both("tick-outages", replace(_PLAIN, tick_outages=4, missed=0.01, failed=0.01, hung=0.005)),
        *_both("double-ticks", replace(_PLAIN, double_ticks=True, missed=0.01, failed=0.01, hung=0.005)),
        *_both("everything", replace(_EVERYTHING, fast=20)),
        *_both("everything-slow", replace(_EVERYTHING, slow=20)),
    )
}
