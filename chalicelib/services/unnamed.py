"""Crons whose names need not differ, as other monitors have it: a second one of a name has its own service."""

import secrets
from datetime import datetime

from chalicelib.domain.monitor.cron import Cron
from chalicelib.services.crons import SettingsChanges
from chalicelib.services.first_contact import Home
from chalicelib.services.register import Registration, WantedCron, register
from chalicelib.store.cron_names import find_ids


def create(org_id: str, called: tuple[Home, str], settings: SettingsChanges, now: datetime) -> Cron:
    """Makes a cron of this home and name, whatever others are called."""
    home, name = called
    is_taken = find_ids(org_id, home.product, home.service, [name])
    service = another_service(home.service) if is_taken else home.service
    done = register(org_id, Registration(home.product, service, (WantedCron(name, settings),)), now)
    return done.crons[0][0]


def another_service(service: str) -> str:
    """The name of a service beside this one."""
    return f"{service.partition(' #')[0]} #{secrets.token_hex(3)}"
