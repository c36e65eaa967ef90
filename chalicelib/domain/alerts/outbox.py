"""The outbox: alerts on their way, with how far each channel is with them."""

from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.delivery import Delivery


class Outgoing(NamedTuple):
    """An alert with its deliveries by channel; send_at: when it is next to be worked on, None: done."""

    alert: Alert
    deliveries: dict[str, Delivery]
    send_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        return self.alert.key
