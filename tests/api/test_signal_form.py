"""The form of a signal: nothing of it is refused. What makes no sense is ignored, and named in the answer."""

import gzip
import json
from typing import Any

import pytest

from chalicelib.domain.monitor.signal import HEAD_BYTES, TAIL_BYTES
from tests.api.client import Answer, Api

NOT_JSON = ["done", "{", "[]", '"text"', "7", "null\x00", "[" * 100_000, b"\xff\xfe", '{"a":' + "9" * 5000 + "}"]


def heartbeat(api: Api, body: Any = None, **options: Any) -> Answer:
    return api.post(f"/api/crons/{api.new_cron()}/heartbeat", body, **options)


def ignored(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [one["field"] for one in answer.json.get("ignored", [])]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"duration_ms": -1, "exit_code": 2**40}, ["duration_ms", "exit_code"]),
        ({"duration_ms": 10**12}, ["duration_ms"]),
        ({"duration_ms": "soon"}, ["duration_ms"]),
        ({"duration_ms": True, "exit_code": []}, ["duration_ms", "exit_code"]),
        ({"duration_ms": 10**400}, ["duration_ms"]),
        ({"run_id": ""}, ["run_id"]),
        ({"run_id": "x" * 10_000}, ["run_id"]),
        ({"run_id": ["a"]}, ["run_id"]),
        ({"started_at": "yesterday"}, ["started_at"]),
        ({"started_at": 1_700_000_000}, ["started_at"]),
        ({"started_at": "2026-03-10T12:00:00"}, ["started_at"]),
        ({"started_at": "2026-03-10T12:05:01Z"}, ["started_at"]),
        ({"started_at": "2020-01-01T00:00:00Z"}, ["started_at"]),
        ({"finished_at": "2030-01-01T00:00:00Z"}, ["finished_at"]),
        (
            {"started_at": "2026-03-10T11:00:00Z", "finished_at": "2026-03-10T10:00:00Z"},
            ["started_at", "finished_at"],
        ),
        ({"colour": "red", "duration_ms": 5}, ["colour"]),
    ],
)
def test_what_makes_no_sense_in_a_heartbeat_is_ignored_and_named(api: Api, given: Any, fields: list[str]) -> None:
    answer = heartbeat(api, {"status": "success", **given})

    assert ignored(answer) == fields
    assert answer.json["run"]["status"] == "success"
    assert all(one["message"] for one in answer.json["ignored"])


@pytest.mark.parametrize(
    ("given", "field", "kept"),
    [
        ({"duration_ms": 1.5}, "duration_ms", 2),
        ({"duration_ms": "1234"}, "duration_ms", 1234),
        ({"duration_ms": "1234.4"}, "duration_ms", 1234),
        ({"exit_code": "3"}, "exit_code", 3),
        ({"run_id": 4711}, "run_id", "4711"),
        ({"message": 7}, "message", "7"),
        ({"message": {"rows": 5}}, "message", '{"rows": 5}'),
        ({"message": "a\ud800b"}, "message", "a\ufffdb"),
    ],
)
def test_what_was_meant_is_understood(api: Api, given: Any, field: str, kept: Any) -> None:
    answer = heartbeat(api, {"status": "success", **given})

    assert ignored(answer) == []
    assert answer.json["run"][field] == kept


def test_a_ping_that_is_sent_later_says_when_the_run_was(api: Api) -> None:
    cron_id = api.new_cron()
    times = {"started_at": "2026-03-10T11:00:00Z", "finished_at": "2026-03-10T11:00:02.500Z"}
    answer = api.post(f"/api/ping/{cron_id}", key=None, **times)

    assert ignored(answer) == []
    (run,) = api.runs(cron_id)
    assert (run["started_at"], run["finished_at"]) == ("2026-03-10T11:00:00Z", "2026-03-10T11:00:02.500Z")
    assert run["duration_ms"] == 2500


def test_times_of_a_ping_that_make_no_sense_are_ignored_and_named(api: Api) -> None:
    times = {"started_at": "yesterday", "finished_at": "2030-01-01T00:00:00Z"}
    answer = api.post(f"/api/ping/{api.new_cron()}", key=None, **times)

    assert ignored(answer) == ["started_at", "finished_at"]


@pytest.mark.parametrize("status", ["OK", " success ", "Success"])
def test_a_status_may_be_written_in_any_case(api: Api, status: str) -> None:
    assert heartbeat(api, {"status": status}).json["run"]["status"] == "success"


@pytest.mark.parametrize(("exit_code", "status"), [(0, "success"), ("0", "success"), (2, "failed")])
def test_without_a_status_the_exit_code_says_how_it_ended(api: Api, exit_code: Any, status: str) -> None:
    assert heartbeat(api, {"exit_code": exit_code}).json["run"]["status"] == status


@pytest.mark.parametrize("given", [{}, {"status": "great"}, {"status": None}, {"status": 7}, {"exit_code": "x"}])
def test_a_heartbeat_that_does_not_say_how_it_ended_is_refused(api: Api, given: Any) -> None:
    cron_id = api.new_cron()

    answer = api.post(f"/api/crons/{cron_id}/heartbeat", given)

    assert answer.status == 422
    assert answer.wrong_fields == ["status"]
    assert api.runs(cron_id) == []


@pytest.mark.parametrize("raw", NOT_JSON)
@pytest.mark.parametrize("kind", ["start", "log"])
def test_a_body_that_is_no_json_object_is_the_message(api: Api, kind: str, raw: Any) -> None:
    cron_id = api.new_cron()

    answer = api.post(f"/api/crons/{cron_id}/{kind}", raw=raw)

    assert ignored(answer) == ["body"]
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    assert answer.json["run"]["message"].startswith(text[:100])


@pytest.mark.parametrize("content_type", ["text/plain", "image/png", "application/x-www-form-urlencoded", None])
def test_no_content_type_is_refused(api: Api, content_type: str | None) -> None:
    body = json.dumps({"status": "success", "duration_ms": 5})

    answer = heartbeat(api, raw=body, content_type=content_type)

    assert ignored(answer) == []
    assert answer.json["run"]["duration_ms"] == 5


def test_a_form_is_read_as_fields(api: Api) -> None:
    form = "status=fail&exit_code=3&duration_ms=&message=disk+full"
    answer = heartbeat(api, raw=form, content_type="application/x-www-form-urlencoded")

    assert ignored(answer) == ["duration_ms"]
    run = answer.json["run"]
    assert (run["status"], run["exit_code"], run["message"]) == ("failed", 3, "disk full")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("exit_code=", ["exit_code"]),
        ("rid=", ["rid"]),
        ("rid=%00", ["rid"]),
        ("duration_ms=-1", ["duration_ms"]),
        ("duration_ms=x", ["duration_ms"]),
        ("exit_code=1e3", ["exit_code"]),
        ("exit_code=abc&rid=&duration_ms=", ["rid", "duration_ms", "exit_code"]),
        ("colour=red", ["colour"]),
    ],
)
@pytest.mark.parametrize("kind", ["ping", "start", "fail", "log"])
def test_what_makes_no_sense_in_a_pings_query_is_ignored_and_named(
    api: Api, kind: str, query: str, fields: list[str]
) -> None:
    answer = api.post(f"/api/{kind}/{api.new_cron()}?{query}", key=None)

    assert ignored(answer) == fields
    assert answer.json["ok"] is True


def test_a_ping_that_makes_sense_ignores_nothing(api: Api) -> None:
    answer = api.post(f"/api/ping/{api.new_cron()}?rid=7&duration_ms=1.5&exit_code=0&msg=done", key=None)

    assert set(answer.json) == {"ok", "run_id"}


@pytest.mark.parametrize("size", [0, 100 * 1024 + 1, 5 * 1024 * 1024])
def test_a_body_of_any_size_is_taken_and_its_head_and_tail_are_kept(api: Api, size: int) -> None:
    cron_id = api.new_cron()
    output = "head" + "é" * (size // 2) + "tail"

    answers = [
        api.post(f"/api/ping/{cron_id}", raw=output, content_type="text/plain", key=None),
        api.post(f"/api/crons/{cron_id}/log", {"message": output}),
        api.post(f"/api/crons/{cron_id}/start", {"message": output, "run_id": "big"}),
        api.post(f"/api/crons/{cron_id}/heartbeat", {"status": "fail", "message": output, "run_id": "big"}),
    ]

    assert [ignored(answer) for answer in answers] == [[], [], [], []]
    for run in api.runs(cron_id):
        message = api.get(f"/api/crons/{cron_id}/runs/{run['id']}").json["message"]
        assert message.startswith("head")
        assert message.endswith("tail")
        assert len(message.encode()) <= HEAD_BYTES + TAIL_BYTES + 100


def test_one_line_says_how_much_was_cut(api: Api) -> None:
    cron_id = api.new_cron()
    answer = api.post(f"/api/fail/{cron_id}", raw="x" * 20_000, content_type="text/plain", key=None)

    run = api.get(f"/api/crons/{cron_id}/runs/{answer.json['run_id']}").json
    head, line, tail = run["message"].split("\n")

    assert (len(head), len(tail)) == (2048, 8192)
    assert line == "… 9760 bytes were cut …"


def test_a_packed_body_is_unpacked(api: Api) -> None:
    cron_id = api.new_cron()
    packed = gzip.compress(b"all of the output")

    answer = api.post(
        f"/api/fail/{cron_id}",
        raw=packed,
        content_type="text/plain",
        headers={"Content-Encoding": "gzip"},
        key=None,
    )

    assert ignored(answer) == []
    assert api.runs(cron_id)[0]["message"] == "all of the output"


def test_a_body_that_unpacks_to_very_much_is_bounded(api: Api) -> None:
    packed = gzip.compress(b"x" * 50_000_000)

    answer = api.post(f"/api/ping/{api.new_cron()}", raw=packed, headers={"Content-Encoding": "gzip"}, key=None)

    assert answer.status == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "nonsense"])
def test_a_wrong_content_encoding_is_ignored_and_named(api: Api, encoding: str) -> None:
    cron_id = api.new_cron()

    answer = api.post(
        f"/api/ping/{cron_id}",
        raw="not packed",
        content_type="text/plain",
        headers={"Content-Encoding": encoding},
        key=None,
    )

    assert ignored(answer) == ["Content-Encoding"]
    assert api.runs(cron_id)[0]["message"] == "not packed"
