"""An org, and when its first key can be claimed."""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.accounts.report_plan import ReportPlan

#: How long a new org's first key can be claimed without a key.
CLAIM_WITHIN = timedelta(days=1)
#: Slugs that stand, or may once stand, in addresses of CronHub itself, or that pretend to be it.
RESERVED_SLUGS = frozenset(
    [
        "about",
        "account",
        "accounts",
        "admin",
        "api",
        "app",
        "auth",
        "billing",
        "blog",
        "contact",
        "cronhub",
        "dashboard",
        "docs",
        "download",
        "help",
        "invites",
        "legal",
        "login",
        "logout",
        "mail",
        "null",
        "oauth",
        "openapi",
        "org",
        "orgs",
        "ping",
        "pricing",
        "privacy",
        "register",
        "root",
        "security",
        "settings",
        "signin",
        "signup",
        "static",
        "status",
        "support",
        "system",
        "team",
        "terms",
        "undefined",
        "user",
        "users",
        "www",
    ]
)


class Org(NamedTuple):
    id: str
    slug: str
    name: str
    created_at: datetime
    #: Whether there ever was a key.
    had_key: bool = False
    #: Whether the first signal of an unknown slug makes a cron.
    first_contact: bool = True
    #: Whether ping URLs work: they need no key.
    keyless_signals: bool = True
    #: When that was last changed.
    keyless_changed_at: datetime | None = None
    #: True while some of its crons may not know of that change.
    keyless_pending: bool = False
    #: Sites whose pages may read its crons, with a key.
    allowed_origins: tuple[str, ...] = ()
    #: When reports come, and over which channels.
    report: ReportPlan = ReportPlan()
    #: When the next one is due.
    report_at: datetime | None = None

    def lets_claim(self, now: datetime) -> bool:
        """Whether the first key can be had without a key."""
        return not self.had_key and now - self.created_at <= CLAIM_WITHIN

    def is_abandoned(self, now: datetime) -> bool:
        """Whether nobody claimed it in time, so that its slug is free again."""
        return not self.had_key and not self.lets_claim(now)
