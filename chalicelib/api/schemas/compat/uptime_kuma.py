"""Uptime Kuma's push."""

from chalicelib.api.schemas.signals import DurationMs, Output
from chalicelib.api.schemas.values import Answer, SignalRequest


class PushQuery(SignalRequest):
    #: `up`, or `down` for a failure.
    status: Output | None = None
    #: A message.
    msg: Output | None = None
    #: How long what was tried took, in milliseconds.
    ping: DurationMs | None = None


class PushAnswer(Answer):
    #: Always true.
    ok: bool = True


class PushFailure(Answer):
    #: What went wrong.
    msg: str
    #: Always false.
    ok: bool = False
