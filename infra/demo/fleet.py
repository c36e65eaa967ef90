"""Which crons the demonstration has, and what each has been through by now."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Settings
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.monitor.signal import Signal, SignalKind
from infra.demo.life import Life

HISTORY = timedelta(days=90)
_SERVICES = {
    ("Shop", "backup"): ("database", "uploads", "search-index", "config", "audit-log"),
    ("Shop", "billing"): ("send-invoices", "renew-subscriptions", "dunning", "tax-report", "reconcile-payments"),
    ("Shop", "catalogue"): (
        "import-feed",
        "resize-images",
        "sync-stock",
        "rebuild-search",
        "expire-offers",
        "prices",
    ),
    ("Shop", "mail"): ("newsletter", "digest", "bounce-cleanup", "password-reminders"),
    ("Data", "warehouse"): ("load-orders", "load-clicks", "dedupe", "snapshot", "vacuum", "export-partners"),
    ("Data", "reports"): ("daily-sales", "weekly-cohorts", "monthly-close", "exec-dashboard", "fraud-scores"),
    ("Data", "models"): ("train-ranking", "score-churn", "refresh-embeddings", "evaluate"),
    ("Platform", "certificates"): ("renew-web", "renew-mail", "check-expiry"),
    ("Platform", "cleanup"): ("temp-files", "old-sessions", "docker-images", "log-rotation", "orphaned-uploads"),
    ("Platform", "sync"): ("ldap", "dns", "secrets", "cmdb", "licences"),
    ("Platform", "monitoring"): (
        "synthetic-checks",
        "status-export",
        "capacity",
        "heartbeat",
        "probe-eu",
        "probe-us",
    ),
    ("Office", "imports"): ("bank-statements", "timesheets", "expenses", "calendar", "payroll", "holidays"),
}
_ZONES = ("Europe/Paris", "UTC", "UTC", "America/New_York")


class Trouble(NamedTuple):
    """What becomes of a cron in the end."""

    name: str
    end: Callable[[Life, datetime], None]
    #: Until when it went as usual, before now.
    well_until: timedelta = timedelta()


def _fail(life: Life, now: datetime) -> None:
    output = "dump: connecting to db-1.internal\ndump: 1204 tables\nerror: No space left on device\n"
    life.signal(
        Signal(SignalKind.FAIL, exit_code=28, duration_ms=8_400, message=output), now - timedelta(minutes=47)
    )


def _fall_silent(life: Life, now: datetime) -> None:
    life.pass_until(now)


def _hang(life: Life, now: datetime) -> None:
    life.signal(Signal(SignalKind.START), now - timedelta(hours=5))


def _run(life: Life, now: datetime) -> None:
    life.signal(Signal(SignalKind.START), now - timedelta(minutes=2))


def _pause(life: Life, now: datetime) -> None:
    life.pause(now - timedelta(days=3))


def _archive(life: Life, now: datetime) -> None:
    life.archive(now - timedelta(days=12))


_TROUBLES = {
    "database": Trouble("fails", _fail),
    "bank-statements": Trouble("is silent", _fall_silent, timedelta(days=2)),
    "train-ranking": Trouble("hangs", _hang, timedelta(hours=6)),
    "sync-stock": Trouble("is late", _fall_silent),
    "load-clicks": Trouble("runs", _run),
    "refresh-embeddings": Trouble("runs", _run),
    "newsletter": Trouble("is paused", _pause, timedelta(days=3)),
    "probe-us": Trouble("is archived", _archive, timedelta(days=12)),
    "holidays": Trouble("is new", _fall_silent, HISTORY),
    "evaluate": Trouble("is new", _fall_silent, HISTORY),
}


def live(org_id: str, seed: int, now: datetime, windows: list[MaintenanceWindow]) -> list[Life]:
    """Lives 90 days of every cron."""
    random = Random(seed)  # noqa: S311 - a demonstration holds no secrets
    lives = []
    for (product, service), names in _SERVICES.items():
        for name in names:
            cron_id = ids.cron_id(org_id, random.randbytes(10))
            settings = _settings(name, random, now)
            born_at = now - (timedelta(hours=3) if _is_new(name) else HISTORY)
            names_of = on_request.CronNames(product, service, name)
            life = Life(on_request.create(cron_id, names_of, settings, born_at), random, windows)
            _live(life, random, now)
            lives.append(life)
    _block(lives, now)
    return lives


def _is_new(name: str) -> bool:
    trouble = _TROUBLES.get(name)
    return trouble is not None and trouble.name == "is new"


def _settings(name: str, random: Random, now: datetime) -> Settings:
    zone = random.choice(_ZONES)
    minute, hour = random.randrange(60), random.randrange(24)
    schedule = random.choice(
        [f"{minute} {hour} * * *"] * 5 + [f"{minute} */6 * * *"] * 2 + [f"{minute} {hour} * * 1"]
    )
    if name in ("load-clicks", "synthetic-checks", "heartbeat", "sync-stock"):
        schedule, zone = f"{random.randrange(10)} * * * *", "UTC"
    if name == "sync-stock":
        # It was due 25 minutes ago, and has an hour.
        due = now - timedelta(minutes=25)
        return Settings(
            f"{due.minute} {due.hour} * * *", "UTC", "Stock levels from the warehouse", tags=("critical",)
        )
    if name in ("bank-statements", "database"):
        schedule, zone = f"{minute} {(now.hour + 2) % 24} * * *", "UTC"
    tags = tuple(tag for tag in ("critical", "night", "eu") if random.random() < 0.25)
    return Settings(
        schedule, zone, _description(name), tags=tags, reminder_seconds=14_400 if "critical" in tags else None
    )


def _description(name: str) -> str:
    return f"Runs {name.replace('-', ' ')} on host-{len(name)}."


def _live(life: Life, random: Random, now: datetime) -> None:
    trouble = _TROUBLES.get(life.cron.name)
    until = now - (trouble.well_until if trouble else timedelta())
    usual_ms = random.choice((900, 4_000, 12_000, 65_000, 240_000, 1_500_000))
    for due in _dues(life, until):
        if life.cron.name == "sync-stock" and now - due < timedelta(hours=1):
            break
        _execute(life, random, due, usual_ms)
    if trouble is not None:
        trouble.end(life, now)
    life.pass_until(now)


def _dues(life: Life, until: datetime) -> Iterator[datetime]:
    times = occurrences(life.cron)
    if times is not None:
        yield from times.between(life.cron.created_at, until - timedelta(minutes=30), 100_000)


def _execute(life: Life, random: Random, due: datetime, usual_ms: int) -> None:
    """One run as jobs are: mostly well, sometimes slow, late, failed or missing."""
    chance = random.random()
    if chance < 0.004:
        return
    started_at = due + timedelta(seconds=random.expovariate(1 / 4))
    took = int(usual_ms * random.lognormvariate(0, 0.18) * (5 if chance > 0.9975 else 1))
    finished_at = started_at + timedelta(milliseconds=took)
    if usual_ms > 60_000:
        life.signal(Signal(SignalKind.START), started_at)
    if 0.004 <= chance < 0.011:
        output = f"connecting…\nConnectionError: host-{random.randrange(9)} refused the connection\n"
        life.signal(Signal(SignalKind.FAIL, duration_ms=took, exit_code=1, message=output), finished_at)
        return
    output = f"{random.randrange(900, 1300)} records\ndone in {took / 1000:.1f} s\n"
    life.signal(Signal(SignalKind.SUCCESS, duration_ms=took, message=output), finished_at)


def _block(lives: list[Life], now: datetime) -> None:
    """What depends on a cron that is down is refused, and says why."""
    by_name = {life.cron.name: life for life in lives}
    for name, other in (("search-index", "database"), ("daily-sales", "load-orders"), ("dedupe", "load-orders")):
        by_name[name].depend_on(by_name[other].cron)
    by_name["search-index"].signal(Signal(SignalKind.START), now - timedelta(minutes=9))
    by_name["search-index"].pass_until(now)
