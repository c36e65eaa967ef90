"""What the demonstration has besides its crons: people, a project, and a page that is public."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Role
from chalicelib.domain.public.status_page import PageCron
from chalicelib.services import members, projects, status_pages
from chalicelib.services.members import Acceptance, Invitation
from chalicelib.services.status_pages import PageChanges
from infra.demo.life import Life

#: The crons of the status page: heading, name of the cron, name that visitors read.
_PUBLIC = (
    ("Shop", "send-invoices", "Invoices"),
    ("Shop", "sync-stock", "Stock levels"),
    ("Shop", "newsletter", "Newsletter"),
    ("Data", "load-orders", "Order data"),
    ("Data", "train-ranking", "Recommendations"),
    ("Office", "bank-statements", "Bank statements"),
)


def save(org: Org, key: ApiKey, lives: Sequence[Life], now: datetime) -> None:
    """Stores them through the services, as a person would by the pages."""
    for email, name, role in (
        ("ada@example.com", "Ada Marsh", Role.OWNER),
        ("grace@example.com", "Grace Bell", Role.MEMBER),
    ):
        invited = members.invite(org.slug, Invitation(email, role), key, now)
        members.accept(Acceptance((invited.link or "").partition("#")[2], name=name), now)
    members.invite(org.slug, Invitation("linus@example.com", Role.VIEWER), key, now)
    projects.create(org.id, "Migration to the new warehouse", "Ends in spring.", now)
    ids_by_name = {life.cron.name: life.cron.id for life in lives}
    shown = tuple(PageCron(ids_by_name[cron], name, group) for group, cron, name in _PUBLIC)
    changes = PageChanges(description="The jobs behind our shop. Questions: ops@example.com.", crons=shown)
    status_pages.create(org.id, "Demo Ltd status", changes, now)
