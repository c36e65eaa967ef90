"""An org's crons as Prometheus reads them."""

import re

from tests.api.client import Api, Clock

_LINE = re.compile(
    r'[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\n"])*"(,[a-z_]+="(?:[^"\\\n]|\\[\\n"])*")*\})? [0-9.e+-]+'
)


def test_each_cron_is_told_of(api: Api, clock: Clock) -> None:
    up, down = api.register({"name": "good", "schedule": "0 13 * * *"}, {"name": "bad", "schedule": None})
    api.heartbeat(up, duration_ms=1500)
    api.heartbeat(down, status="failure")

    answer = api.get("/api/metrics")

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'cronhub_crons{status="down"} 1' in lines
    labels = 'product="shop",service="nightly",name="good"'
    assert f"cronhub_cron_up{{{labels}}} 1" in lines
    assert f"cronhub_cron_last_run_duration_seconds{{{labels}}} 1.5" in lines
    assert f"cronhub_cron_last_run_timestamp_seconds{{{labels}}} 1773144000" in lines
    assert f"cronhub_cron_next_expected_timestamp_seconds{{{labels}}} 1773147600" in lines
    assert 'cronhub_cron_up{product="shop",service="nightly",name="bad"} 0' in lines


def test_it_holds_nothing_that_signals(api: Api) -> None:
    cron_id = api.new_cron()

    assert cron_id not in api.get("/api/metrics").text


def test_any_name_makes_lines_that_can_be_read(api: Api) -> None:
    api.register({"name": 'a "b" \\ c', "schedule": None}, {"name": "ü €", "schedule": None})

    for line in api.get("/api/metrics").text.splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line), line


def test_it_needs_a_key(api: Api) -> None:
    assert api.get("/api/metrics", key=None).status == 401
    assert api.get("/api/metrics", key=api.new_key("read")).status == 200
