"""What the functions write on AWS: a line of JSON an invocation, with its metrics, and no secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import telemetry
from chalicelib.services.tick import run_minute
from tests.api.client import Api, Clock
from tests.channels.receivers import Reply, receiver


@pytest.fixture
def on_aws(api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:]
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cronhub-dev")
    telemetry.set_up_logging()
    yield
    root.handlers[:] = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def declared(line: Any) -> dict[str, str]:
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("CronHub", [["prefix"]])
    assert line["prefix"].startswith("cronhub")
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


def test_a_signal_is_one_line_with_its_ids_and_its_metric(
    api: Api, on_aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    cron_id = api.new_cron()
    org_id = api.get("/api/orgs/mon-org").json["id"]
    capsys.readouterr()

    api.heartbeat(cron_id)

    [line] = lines(capsys)
    assert (line["function"], line["method"], line["status"]) == ("api", "POST", 200)
    assert (line["route"], line["cron_id"], line["org_id"]) == (
        "/api/crons/{cron_id}/heartbeat",
        cron_id,
        org_id,
    )
    assert line["request_id"]
    assert declared(line) == {"signals_success": "Count"}
    assert line["signals_success"] == 1


def test_the_next_line_has_nothing_of_the_one_before(
    api: Api, on_aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    api.heartbeat(api.new_cron())
    capsys.readouterr()

    api.get("/api/health", key=None)

    [line] = lines(capsys)
    assert not {"org_id", "cron_id", "_aws"} & set(line)


def test_a_tick_measures_itself(api: Api, clock: Clock, on_aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    api.new_cron("0 13 * * *")
    clock.at("14:30:02")
    capsys.readouterr()

    run_minute(clock.now, clock.now.replace(second=0))
    telemetry.write_line(function="tick")

    *logged, line = lines(capsys)
    of_the_tick = {
        "alerts_waiting",
        "due_backlog",
        "shards_behind",
        "hand_over_failed",
        "tick_broken",
        "tick_duration",
        "tick_lag",
    }
    assert of_the_tick | {"runs_missed"} == set(declared(line))
    assert all(type(line[name]) in (int, float) for name in of_the_tick), "CloudWatch takes no other values"
    assert (line["due_backlog"], line["tick_lag"], line["runs_missed"]) == (1, 2.0, 1)
    missed = next(one for one in logged if one.get("event") == "missed")
    assert missed["level"] == "INFO"
    assert missed["cron_id"]


def test_a_backlog_that_nobody_takes_over_is_counted(
    api: Api, clock: Clock, on_aws: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.evaluate.HANDED_OVER_FROM", 3)
    api.register(*({"name": f"job {n}", "schedule": "0 13 * * *"} for n in range(5)))
    clock.at("14:30:00")

    run_minute(clock.now)
    telemetry.write_line(function="tick")

    line = lines(capsys)[-1]
    assert "hand_over_failed" in declared(line)
    assert (line["hand_over_failed"], line["due_backlog"]) == (1, 4)


def test_how_long_an_alert_waits_is_measured_and_a_later_try_is_no_waiting(
    api: Api, clock: Clock, on_aws: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")

    def waits() -> float:
        run_minute(clock.now)
        telemetry.write_line(function="tick")
        return float(lines(capsys)[-1]["alerts_waiting"])

    with receiver(Reply(500)) as hook:
        assert api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": hook.url}).status == 201
        assert waits() == 0
        api.post(f"/api/fail/{api.new_cron()}", key=None)
        clock.pass_by(seconds=150)
        assert waits() == pytest.approx(150, abs=1)
        assert len(hook.got) == 1

        clock.pass_by(seconds=10)
        assert waits() == 0


def test_what_goes_wrong_is_logged_with_its_trace_and_request(
    api: Api, on_aws: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.crons.find", lambda *_: 1 / 0)
    capsys.readouterr()

    assert api.patch("/api/crons/x", {"name": "y"}).status == 500

    logged, line = lines(capsys)
    assert "ZeroDivisionError" in logged["exception"]
    assert logged["request_id"] == line["request_id"]
    assert line["status"] == 500


def test_no_line_has_a_secret(api: Api, on_aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    key = api.new_key("full")
    url = "https://hooks.example.com/very-secret-path"
    api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": url}, key=key)
    api.get("/api/channels/confirm/very-secret-token", key=None)
    api.post("/api/invites/accept", {"token": "very-secret-token", "email": "a@example.com"}, key=None)
    api.get("/api/crons", key=key + "x")

    written = capsys.readouterr().out

    assert key[3:] not in written
    assert "very-secret" not in written


def test_off_aws_nothing_is_written(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    api.heartbeat(api.new_cron())

    assert "signals_success" not in capsys.readouterr().out
