"""What the functions tell CloudWatch: one line of JSON for each invocation, with its metrics in it.

The metrics are in the embedded metric format, which CloudWatch reads from the log
(docs.aws.amazon.com, "CloudWatch embedded metric format specification"): a metric costs no call.
Off AWS nothing is written: a terminal has the log lines.
"""

import json
import logging
import os
import sys
import time
from collections import defaultdict
from threading import Lock
from traceback import format_exception
from typing import Any

from chalicelib import settings

NAMESPACE = "CronHub"
COUNT, SECONDS = "Count", "Seconds"
# Of values of one metric a line may have so many.
_MOST_VALUES = 100

_lock = Lock()
_facts: dict[str, Any] = {}
_metrics: dict[tuple[str, str], list[float]] = defaultdict(list)


def is_on() -> bool:
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def set_up_logging() -> None:
    """On AWS every line of the log is an object of JSON; elsewhere the program decides."""
    if is_on():
        logging.getLogger().handlers[:] = [JsonLines()]


class JsonLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("org_id", "cron_id", "event"):
            if hasattr(record, name):
                line[name] = getattr(record, name)
        if record.exc_info:
            line["exception"] = "".join(format_exception(*record.exc_info))
        _write({"request_id": _facts.get("request_id"), **line})


def note(**facts: Any) -> None:
    """What the line of this invocation says besides: ids, and never a secret."""
    if is_on():
        with _lock:
            _facts.update({name: value for name, value in facts.items() if value is not None})


def measure(name: str, value: float = 1, unit: str = COUNT) -> None:
    """A value of a metric; those of one name are kept one by one for times, and added up for counts."""
    if is_on():
        with _lock:
            values = _metrics[name, unit]
            if unit == COUNT and values:
                values[0] += value
            elif len(values) < _MOST_VALUES:
                values.append(value)


def write_line(**facts: Any) -> None:
    """Ends an invocation: all that was noted and measured, in one line."""
    if not is_on():
        return
    with _lock:
        line = {**_facts, **facts}
        if _metrics:
            line |= {"prefix": settings.prefix(), "_aws": _declaration()}
            line |= {name: values[0] if len(values) == 1 else values for (name, _), values in _metrics.items()}
        _facts.clear()
        _metrics.clear()
    _write(line)


def _declaration() -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": unit} for name, unit in _metrics]
    declared = {"Namespace": NAMESPACE, "Dimensions": [["prefix"]], "Metrics": metrics}
    return {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [declared]}


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str) + "\n")
    sys.stdout.flush()
