"""Bad input: a clear answer that names the field, and nothing changed."""

import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import Api, Clock
from tests.api.test_every_route import ROUTES, UNKNOWN, WITH_BODY

GOOD = {"name": "good", "schedule": "0 2 * * *"}
LONG = "x" * 10_000


def register(api: Api, *crons: Any, **more: Any) -> Any:
    return api.post("/api/crons/register", {"product": "p", "service": "s", "crons": list(crons), **more})


@pytest.mark.parametrize(
    ("cron", "field"),
    [
        ({"schedule": "0 2 * * *"}, "name"),
        ({"name": "x"}, "schedule"),
        ({**GOOD, "name": ""}, "name"),
        ({**GOOD, "name": " "}, "name"),
        ({**GOOD, "name": LONG}, "name"),
        ({**GOOD, "name": "a\x00b"}, "name"),
        ({**GOOD, "name": "\ud800"}, "name"),
        ({**GOOD, "name": 7}, "name"),
        ({**GOOD, "name": None}, "name"),
        ({**GOOD, "name": ["a"]}, "name"),
        ({**GOOD, "schedule": "61 2 * * *"}, "schedule"),
        ({**GOOD, "schedule": "* * * * * *"}, "schedule"),
        ({**GOOD, "schedule": "0 0 30 2 *"}, "schedule"),
        ({**GOOD, "schedule": LONG}, "schedule"),
        ({**GOOD, "schedule": True}, "schedule"),
        ({**GOOD, "timezone": "Mars/Olympus"}, "timezone"),
        ({**GOOD, "timezone": "../../etc/passwd"}, "timezone"),
        ({**GOOD, "grace_seconds": -1}, "grace_seconds"),
        ({**GOOD, "grace_seconds": 10**400}, "grace_seconds"),
        ({**GOOD, "grace_seconds": 1.5}, "grace_seconds"),
        ({**GOOD, "grace_seconds": True}, "grace_seconds"),
        ({**GOOD, "grace_seconds": "60"}, "grace_seconds"),
        ({**GOOD, "max_runtime_seconds": 0}, "max_runtime_seconds"),
        ({**GOOD, "max_runtime_seconds": 40_000_000}, "max_runtime_seconds"),
        ({**GOOD, "anomaly_factor": 1}, "anomaly_factor"),
        ({**GOOD, "anomaly_factor": 10**400}, "anomaly_factor"),
        ({**GOOD, "failure_tolerance": -1}, "failure_tolerance"),
        ({**GOOD, "recovery_threshold": 0}, "recovery_threshold"),
        ({**GOOD, "tags": "db"}, "tags"),
        ({**GOOD, "tags": ["x"] * 21}, "tags"),
        ({**GOOD, "tags": ["ok", 7]}, "tags[1]"),
        ({**GOOD, "sla_target": 101}, "sla_target"),
        ({**GOOD, "description": "x" * 1001}, "description"),
        ({**GOOD, "colour": "red"}, "colour"),
        ({**GOOD, "a\x00\ud800" + LONG: 1}, None),
        ("no object", ""),
        ([], ""),
    ],
)
def test_one_bad_cron_is_named_and_changes_nothing(api: Api, cron: Any, field: str | None) -> None:
    answer = register(api, {**GOOD, "name": "other"}, cron)

    assert answer.status == 422, answer.text
    (wrong,) = answer.wrong_fields
    assert field is None or wrong == (f"crons[1].{field}" if field else "crons[1]")
    assert all(error["message"] for error in answer.json["errors"])
    assert api.get("/api/crons").json["crons"] == []


def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    crons = [GOOD, {**GOOD, "name": "b", "schedule": "x", "grace_seconds": -5}, {"name": "good", "schedule": None}]
    answer = api.post("/api/crons/register", {"service": 7, "crons": crons, "prune": "yes", "more": 1})

    assert answer.status == 422
    assert set(answer.wrong_fields) == {
        "product",
        "service",
        "prune",
        "more",
        "crons[1].schedule",
        "crons[1].grace_seconds",
        "crons[2].name",
    }


def test_too_many_crons_are_refused(api: Api) -> None:
    answer = register(api, *({"name": f"job {n}", "schedule": None} for n in range(1001)))

    assert answer.status == 422
    assert answer.wrong_fields == ["crons"]


def test_names_may_be_in_any_script(api: Api) -> None:
    names = ["сервер", "備份 🗄️", "a/b#c?d=e&f", "naïve «name»", "0", "ﷺ" * 128]
    answer = register(api, *({"name": name, "schedule": None} for name in names))

    assert [cron["name"] for cron in answer.json["crons"]] == names
    found = api.get("/api/crons", search="СЕРВЕР").json["crons"]
    assert [cron["name"] for cron in found] == ["сервер"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "abc"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"cursor": "rubbish"}, "cursor"),
        ({"cursor": "00000000-0000-8000-8000-000000000000"}, "cursor"),
        ({"status": "sleepy"}, "status"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_query_is_named(api: Api, query: dict[str, str], field: str) -> None:
    answer = api.get("/api/crons", **query)

    assert answer.status == 422
    assert answer.wrong_fields == [field]


@pytest.mark.parametrize(
    "query",
    [
        "schedule=61%20*%20*%20*%20*",
        "",
        "schedule=@daily&count=501",
        "schedule=@daily&after=then",
        "schedule=@reboot",
    ],
)
def test_a_bad_preview_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/api/schedules/preview?{query}", key=None)

    assert answer.status == 422
    assert answer.wrong_fields


@pytest.mark.parametrize("slug", ["", "A", "-a", "a-", "a b", "ä", "x" * 64, "a_b", "..", 7, None])
def test_a_bad_slug_is_refused(api: Api, slug: Any) -> None:
    answer = api.post("/api/orgs", {"name": "x", "slug": slug}, key=None)

    assert answer.status == 422
    assert answer.wrong_fields == ["slug"]


@pytest.mark.parametrize(
    "text", ['{"slug": "x", "slug": "y", "name": "z"}', '{"name": {"a": 1, "a": 1}, "slug": "x"}']
)
def test_a_field_that_is_there_twice_is_refused(api: Api, text: str) -> None:
    answer = api.post("/api/orgs", raw=text, key=None)

    assert answer.status == 400
    assert "twice" in answer.json["detail"]


def test_a_number_of_thousands_of_digits_is_refused_in_our_words(api: Api) -> None:
    answer = api.post("/api/orgs", raw='{"name": "x", "slug": ' + "9" * 5000 + "}", key=None)

    assert answer.status == 400
    assert answer.json["detail"] == "the body is not JSON: a number has over 1000 digits"


def test_a_packed_body_is_refused_as_such(api: Api) -> None:
    answer = api.post("/api/orgs", raw=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}, key=None)

    assert answer.status == 415
    assert "Content-Encoding" in answer.json["detail"]


def test_json_that_is_not_utf_8_is_refused_and_a_jobs_output_kept(api: Api) -> None:
    register_body = b'{"product": "p", "service": "s", "crons": [{"name": "caf\xe9", "schedule": null}]}'
    cron_id = api.new_cron()

    assert api.post("/api/crons/register", raw=register_body).status == 400
    assert api.post(f"/api/fail/{cron_id}", raw=b"caf\xe9", content_type="text/plain", key=None).status == 200
    assert api.runs(cron_id)[0]["message"] == "caf\ufffd"


@pytest.mark.parametrize("bad_id", ["x" * 2000, "0" * 27, "name%23x", "%23"])
def test_what_is_no_id_is_not_found(api: Api, bad_id: str) -> None:
    cron_id = api.new_cron()
    readable = [f"crons/{cron_id}/runs", "incidents", "maintenance", "channels", "projects"]
    removable = ["maintenance", "channels", "projects", "orgs/mon-org/api-keys", "orgs/mon-org/invites"]

    answers = [api.get(f"/api/{path}/{bad_id}") for path in readable]
    answers += [api.delete(f"/api/{path}/{bad_id}") for path in [*removable, "orgs/mon-org/members"]]

    assert {answer.status for answer in answers} == {404}


LISTS = [
    "/api/projects",
    "/api/orgs/mon-org/api-keys",
    "/api/orgs/mon-org/members",
    "/api/orgs/mon-org/invites",
    "/api/channels",
    "/api/maintenance",
    "/api/incidents",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": UNKNOWN}, {"colour": "red"}])
def test_every_list_names_a_bad_query(api: Api, path: str, query: dict[str, str]) -> None:
    answer = api.get(path, **query)

    assert answer.status == 422
    assert answer.wrong_fields == list(query)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["name", "slug", "product", "crons", "schedule", "status", "url", "kind", "email", "role", "starts_at", "tags"]
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(WITH_BODY), st.dictionaries(FIELDS | st.text(max_size=8), JSON, max_size=5))
def test_no_json_makes_a_route_fail(api: Api, clock: Clock, name: str, body: Any) -> None:
    path = ROUTES[name].path.replace("other", "mon-org")

    answer = api.call(name.split(maxsplit=1)[0], path, body)

    assert 200 <= answer.status < 500, answer.text


@pytest.mark.parametrize(
    "hidden", [*"\u061c\u200b\u200d\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u2069\ufeff"], ids=ascii
)
def test_a_name_holds_nothing_that_cannot_be_seen_or_turns_the_text(api: Api, hidden: str) -> None:
    name = f"back{hidden}up"
    rule = f"must not contain invisible or direction-changing characters (U+{ord(hidden):04X})"
    refused = {
        "crons[0].name": register(api, {"name": name, "schedule": None}),
        "crons[0].tags[0]": register(api, {"name": "a", "schedule": None, "tags": [name]}),
        "name": api.post("/api/projects", {"name": name}),
    }

    for field, answer in refused.items():
        assert answer.status == 422
        assert answer.json["errors"] == [{"field": field, "message": rule}]
    assert api.patch("/api/orgs/mon-org", {"name": name}).wrong_fields == ["name"]
    assert api.post("/api/orgs/mon-org/api-keys", {"name": name}).wrong_fields == ["name"]
