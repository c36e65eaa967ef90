"""Natural keys: which id stands for a product, service and name."""

import hashlib
from collections.abc import Iterable

from chalicelib.domain.monitor.cron import Cron
from chalicelib.store.errors import store_errors
from chalicelib.store.tables import CronNameItem


def name_key(product: str, service: str, name: str) -> str:
    # Hashed: three names of 128 characters may be longer than a sort key, and hold any character.
    return _service_key(product, service) + _hash(name)


def _service_key(product: str, service: str) -> str:
    return _hash(product, service) + "/"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def name_item(cron: Cron) -> CronNameItem:
    key = name_key(cron.product, cron.service, cron.name)
    return CronNameItem(cron.org_id, key, cron_id=cron.id)


def find_ids(org_id: str, product: str, service: str, names: Iterable[str]) -> dict[str, str]:
    """The ids of those of these names (100 at most) that are taken, by name."""
    names_by_key = {name_key(product, service, name): name for name in names}
    with store_errors():
        items = list(CronNameItem.batch_get([(org_id, key) for key in names_by_key], consistent_read=True))
    return {names_by_key[item.name_key]: item.cron_id for item in items}


def ids_of_service(org_id: str, product: str, service: str) -> list[str]:
    condition = CronNameItem.name_key.startswith(_service_key(product, service))
    with store_errors():
        return [item.cron_id for item in CronNameItem.query(org_id, condition, consistent_read=True)]
