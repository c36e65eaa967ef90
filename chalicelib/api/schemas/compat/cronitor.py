"""Cronitor's telemetry and monitors (cronitor.io, "Telemetry API" and "Monitor API")."""

from chalicelib.api.schemas.signals import ExitCode, Output, RunId
from chalicelib.api.schemas.values import Schedule, SignalRequest


class Telemetry(SignalRequest):
    #: `run`, `complete`, `fail` or `ok`; none: a heartbeat.
    state: Output | None = None
    #: The id that the start and the end of a run share.
    series: RunId | None = None
    #: What to know of the run, or its output.
    message: Output | None = None
    #: The environment: each has a cron of its own.
    env: Output | None = None
    #: When it was sent, in seconds since 1970.
    stamp: Output | None = None
    #: The host that the job runs on.
    host: Output | None = None
    #: The exit status of the job.
    status_code: ExitCode | None = None
    #: The schedule that the job runs on.
    schedule: Schedule | None = None
