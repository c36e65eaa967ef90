"""An organization's crons in Prometheus' text format.

prometheus.io, "Exposition formats", version 0.0.4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.metrics import CronCounts, MetricsQuery, Overview
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.services.cron_counts import count_crons, first_crons

_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class _Gauge(NamedTuple):
    name: str
    help: str
    value: Callable[[Cron], float | None]


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _last_duration(cron: Cron) -> float | None:
    duration = cron.last_run.duration_ms if cron.last_run else None
    return None if duration is None else duration / 1000


_GAUGES = (
    _Gauge(
        "cronhub_cron_up", "0 while the cron is down, else 1.", lambda cron: float(cron.status is not Status.DOWN)
    ),
    _Gauge(
        "cronhub_cron_last_run_timestamp_seconds",
        "When its last run ended.",
        lambda cron: _seconds(cron.last_run.finished_at if cron.last_run else None),
    ),
    _Gauge("cronhub_cron_last_run_duration_seconds", "How long its last run took.", _last_duration),
    _Gauge(
        "cronhub_cron_next_expected_timestamp_seconds",
        "The occurrence that is waited for.",
        lambda cron: _seconds(cron.expected_at),
    ),
    _Gauge(
        "cronhub_cron_open_runs", "How many of its runs are going on.", lambda cron: float(len(cron.open_runs))
    ),
    _Gauge(
        "cronhub_cron_incident_missed",
        "Occurrences missed in its open incident.",
        lambda cron: float(cron.incident.missed) if cron.incident else None,
    ),
)


@route("GET", "/api/overview", action=Action.READ)
def read_overview(call: Call) -> Overview:
    """Count the crons by status

    Takes the same time for ten crons and for ten thousand. A cron that is running counts by how it was before, and
    one is late once the tick has seen it.
    """
    return Overview(CronCounts.of(count_crons(call.org_id)))


@route("GET", "/api/metrics", action=Action.READ, produces=_MEDIA)
def read_metrics(call: Call, query: MetricsQuery) -> Response:
    """The organization's crons as Prometheus metrics

    How many crons there are by status, in the same time for ten crons and for ten thousand. With `per_cron=true`
    also six gauges for each of the first crons, or for each of one service.
    """
    lines = [*_counted(count_crons(call.org_id))]
    if query.per_cron:
        lines += _each(first_crons(call.org_id, query.limit, query.of_service()))
    return Response("".join(f"{line}\n" for line in lines), {"Content-Type": _MEDIA}, 200)


def _counted(numbers: Mapping[DisplayStatus, int]) -> Iterator[str]:
    yield "# HELP cronhub_crons How many crons there are, by status."
    yield "# TYPE cronhub_crons gauge"
    for status, number in sorted(numbers.items()):
        if status is not DisplayStatus.ARCHIVED:
            yield f'cronhub_crons{{status="{status}"}} {number}'


def _each(crons: Sequence[Cron]) -> Iterator[str]:
    for gauge in _GAUGES:
        yield f"# HELP {gauge.name} {gauge.help}"
        yield f"# TYPE {gauge.name} gauge"
        for cron in crons:
            value = gauge.value(cron)
            if value is not None:
                yield f"{gauge.name}{{{_labels(cron)}}} {value:.15g}"


def _labels(cron: Cron) -> str:
    names = {"product": cron.product, "service": cron.service, "name": cron.name}
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in names.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
