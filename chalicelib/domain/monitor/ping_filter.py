"""What Healthchecks' settings of a check make of a ping: its method and the words of its body may decide."""

import json
from typing import NamedTuple

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.signal import Signal, SignalKind


class Sent(NamedTuple):
    """What the settings look at."""

    method: str
    body: str


class PingFilter(NamedTuple):
    #: Every other method is only recorded.
    only_post: bool = False
    #: Whether the body decides. Where it has none of the words, the ping is only recorded.
    by_body: bool = False
    #: Words between commas.
    failure: str = ""
    success: str = ""
    start: str = ""
    #: True: where the body has none of the words, the ping is a failure.
    fails_otherwise: bool = False

    def applied(self, signal: Signal, sent: Sent) -> Signal:
        kind = self._kind(signal.kind, sent)
        # An exit status belongs to what the path said.
        return signal if kind is signal.kind else signal._replace(kind=kind, exit_code=None)

    def _kind(self, said: SignalKind, sent: Sent) -> SignalKind:
        if self.only_post and sent.method != "POST":
            return SignalKind.LOG
        if not self.by_body:
            return said
        words = (
            (self.failure, SignalKind.FAIL),
            (self.success, SignalKind.SUCCESS),
            (self.start, SignalKind.START),
        )
        for given, kind in words:
            if any(word.strip() and word.strip() in sent.body for word in given.split(",")):
                return kind
        return SignalKind.FAIL if self.fails_otherwise else SignalKind.LOG


def filter_of(cron: Cron) -> PingFilter | None:
    """None: every ping counts as it says."""
    kept = json.loads(cron.settings.kept) if cron.settings.kept else {}
    found = PingFilter(
        only_post=kept.get("methods") == "POST",
        by_body=bool(kept.get("filter_http_body")),
        failure=kept.get("failure_kw") or "",
        success=kept.get("success_kw") or "",
        start=kept.get("start_kw") or "",
        fails_otherwise=bool(kept.get("filter_default_fail")),
    )
    return found if found.only_post or found.by_body else None
