"""Badges: what anyone sees by a token, and nothing else."""

import json
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.api.client import Answer, Api, Clock
from tests.api.conftest import Calls

_SVG = "{http://www.w3.org/2000/svg}"


def new_badge(api: Api, **body: Any) -> dict[str, Any]:
    answer = api.post("/api/badges", body)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def seen(api: Api, badge: dict[str, Any], form: str = "json") -> Answer:
    return api.get(urlsplit(badge[f"{form}_url"]).path, key=None)


def status(api: Api, badge: dict[str, Any]) -> str:
    answer = seen(api, badge)
    assert answer.status == 200, answer.text
    return str(answer.json["status"])


def test_a_badge_of_a_cron_follows_it(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 13 * * *")
    badge = new_badge(api, cron_id=cron_id)
    found = [status(api, badge)]

    api.heartbeat(cron_id)
    found.append(status(api, badge))
    clock.at("2026-03-11T13:20:00")
    found.append(status(api, badge))
    clock.at("2026-03-11T15:00:00")
    api.tick()
    found.append(status(api, badge))
    api.post(f"/api/crons/{cron_id}/pause")
    found.append(status(api, badge))

    assert found == ["new", "up", "late", "down", "paused"]


def test_a_running_cron_is_up(api: Api) -> None:
    cron_id = api.new_cron()
    badge = new_badge(api, cron_id=cron_id)

    api.start(cron_id)

    assert status(api, badge) == "up"


def test_the_three_forms_say_the_same(api: Api) -> None:
    cron_id = api.new_cron()
    api.heartbeat(cron_id, "failure")
    badge = new_badge(api, cron_id=cron_id, label="Nightly <backup> & more")

    image, plain, shields = (seen(api, badge, form) for form in ("svg", "json", "shields"))

    assert image.headers["Content-Type"] == "image/svg+xml"
    drawn = ElementTree.fromstring(image.text)
    assert drawn.tag == f"{_SVG}svg"
    assert [one.text for one in drawn.iter(f"{_SVG}text")] == ["Nightly <backup> & more", "down"]
    assert drawn.attrib["aria-label"] == "Nightly <backup> & more: down"
    assert plain.json == {"label": "Nightly <backup> & more", "status": "down"}
    assert shields.json == {
        "schemaVersion": 1,
        "label": "Nightly <backup> & more",
        "message": "down",
        "color": "red",
        "isError": True,
    }
    for answer in (image, plain, shields):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "label", ['"><script>alert(1)</script>', "日本語のジョブ", "é" * 128, "a" * 128, "𝕏 & ]]>"]
)
def test_any_label_is_a_well_formed_image(api: Api, label: str) -> None:
    badge = new_badge(api, label=label)

    drawn = ElementTree.fromstring(seen(api, badge, "svg").text)

    left, _ = drawn.iter(f"{_SVG}text")
    assert left.text is not None
    assert label.startswith(left.text.removesuffix("…"))
    assert len(left.text) <= 60
    assert not list(drawn.iter(f"{_SVG}script"))


def test_labels_are_names_unless_given(api: Api) -> None:
    cron_id = api.new_cron()

    made = [new_badge(api, cron_id=cron_id), new_badge(api, tag="db"), new_badge(api)]

    assert [badge["label"] for badge in made] == ["backup", "db", "Mon-Org"]


def test_a_badge_of_the_org_is_its_worst_cron(api: Api, clock: Clock) -> None:
    _, late, failing = api.register(
        {"name": "well", "schedule": None},
        {"name": "late", "schedule": "0 13 * * *"},
        {"name": "failing", "schedule": None},
    )
    badge = new_badge(api)
    found = [status(api, badge)]
    clock.at("13:20:00")
    api.tick()
    assert api.cron(late)["status"] == "late"
    found.append(status(api, badge))
    api.heartbeat(failing, "failure")
    found.append(status(api, badge))
    api.heartbeat(failing)
    found.append(status(api, badge))
    api.heartbeat(late)
    found.append(status(api, badge))

    assert found == ["up", "late", "down", "late", "up"]


def test_a_badge_of_a_tag_sees_only_its_crons(api: Api) -> None:
    database, mail = api.register(
        {"name": "dump", "schedule": None, "tags": ["db", "nightly"]},
        {"name": "mails", "schedule": None, "tags": ["mail"]},
    )
    badge = new_badge(api, tag="db")

    api.heartbeat(mail, "failure")
    others_down = status(api, badge)
    api.heartbeat(database, "failure")
    down = status(api, badge)
    api.patch(f"/api/crons/{database}", {"tags": ["nightly"]})
    untagged = status(api, badge)

    assert (others_down, down, untagged) == ("up", "down", "up")


@pytest.mark.parametrize("end", ["pause", "delete", "archive"])
def test_a_failing_cron_that_is_put_away_is_no_trouble(api: Api, end: str) -> None:
    cron_id = api.new_cron(None)
    api.heartbeat(cron_id, "failure")
    badge = new_badge(api)
    assert status(api, badge) == "down"

    if end == "pause":
        api.post(f"/api/crons/{cron_id}/pause")
    elif end == "delete":
        api.delete(f"/api/crons/{cron_id}")
    else:
        api.register({"name": "another", "schedule": None}, prune=True)

    assert status(api, badge) == "up"


def test_trouble_in_maintenance_is_not_shown(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    times = {"starts_at": "2026-03-10T11:00:00Z", "ends_at": "2026-03-10T13:00:00Z"}
    api.post("/api/maintenance", {"name": "Deploy", **times})
    of_cron, of_org = new_badge(api, cron_id=cron_id), new_badge(api)

    api.heartbeat(cron_id, "failure")
    during = [status(api, badge) for badge in (of_cron, of_org)]
    clock.at("13:00:30")
    api.tick()
    after = [status(api, badge) for badge in (of_cron, of_org)]

    assert during == ["maintenance", "up"]
    assert after == ["down", "down"]


def test_another_orgs_crons_do_not_count(api: Api) -> None:
    badge, own = new_badge(api), api.key
    api.key = api.new_org("other")
    failing = api.new_cron(None, tags=["db"])
    api.heartbeat(failing, "failure")
    api.key, theirs = own, api.key
    refused = api.post("/api/badges", {"cron_id": failing})

    assert status(api, badge) == "up"
    assert refused.status == 422
    assert refused.wrong_fields == ["cron_id"]
    assert api.get("/api/badges", key=theirs).json["badges"] == []
    assert api.delete(f"/api/badges/{badge['id']}", key=theirs).status == 404
    assert status(api, badge) == "up"


def test_nothing_that_the_public_sees_leads_anywhere(api: Api) -> None:
    cron_id = api.new_cron()
    org_id = api.get("/api/orgs/mon-org").json["id"]
    badge = new_badge(api, cron_id=cron_id)

    for form in ("svg", "json", "shields"):
        answer = seen(api, badge, form)
        told = answer.text + json.dumps(answer.headers)
        assert cron_id not in told
        assert org_id not in told
    token = urlsplit(badge["svg_url"]).path.removeprefix("/badge/").removesuffix(".svg")
    for path in (f"/api/ping/{token}", f"/api/fail/{token}", f"/api/start/{token}"):
        assert api.post(path, key=None).status == 404
    assert api.post(urlsplit(badge["json_url"]).path, key=None).status in (403, 404, 405)


def test_a_revoked_badge_is_gone_at_once(api: Api) -> None:
    badge, other = new_badge(api), new_badge(api)

    assert api.delete(f"/api/badges/{badge['id']}").status == 204

    assert seen(api, badge).status == 404
    assert status(api, other) == "up"
    assert [one["id"] for one in api.get("/api/badges").json["badges"]] == [other["id"]]
    assert api.delete(f"/api/badges/{badge['id']}").status == 404


def test_a_badge_ends_with_its_cron_and_its_org(api: Api) -> None:
    cron_id = api.new_cron()
    of_cron, of_org = new_badge(api, cron_id=cron_id), new_badge(api)

    api.delete(f"/api/crons/{cron_id}")
    assert seen(api, of_cron).status == 404
    api.call("DELETE", "/api/orgs/mon-org", {"slug": "mon-org"})

    assert seen(api, of_org).status == 404


def test_bad_input_names_its_field(api: Api) -> None:
    cron_id = api.new_cron()

    def wrong(**body: Any) -> list[str]:
        answer = api.post("/api/badges", body)
        assert answer.status == 422, answer.text
        return answer.wrong_fields

    assert wrong(cron_id=cron_id, tag="db") == ["tag"]
    assert wrong(cron_id="nothing") == ["cron_id"]
    assert wrong(cron_id=7) == ["cron_id"]
    assert wrong(tag="") == ["tag"]
    assert wrong(label="x" * 129) == ["label"]
    assert wrong(colour="red") == ["colour"]


def test_what_is_no_badge_is_404(api: Api, calls: Calls) -> None:
    badge = new_badge(api)
    token = urlsplit(badge["svg_url"]).path.removeprefix("/badge/").removesuffix(".svg")
    calls.clear()

    for file in (token, f"{token}.png", f"{token}.", ".svg", f"{token[:-1]}.svg", "x" * 5000 + ".svg", "%00.svg"):
        assert api.get(f"/badge/{file}", key=None).status == 404
    assert calls.names == []
    assert api.get(f"/badge/{'A' * 24}.svg", key=None).status == 404
    assert calls.names == ["GetItem"]


def test_only_admins_make_and_revoke_badges(api: Api) -> None:
    badge = new_badge(api)

    for scope in ("read", "ingest"):
        key = api.new_key(scope)
        assert api.post("/api/badges", {}, key=key).status == 403
        assert api.delete(f"/api/badges/{badge['id']}", key=key).status == 403
    assert api.get("/api/badges", key=api.new_key("read")).json["badges"] == [badge]


def test_a_badge_costs_three_reads_at_most_whatever_there_is(api: Api, calls: Calls) -> None:
    ids = api.register(*({"name": f"job {n}", "schedule": None, "tags": ["db"]} for n in range(30)))
    badges = [new_badge(api, cron_id=ids[0]), new_badge(api, tag="db"), new_badge(api)]
    api.heartbeat(ids[0])
    calls.clear()

    counted = []
    for badge in badges:
        assert status(api, badge) == "up"
        counted.append(list(calls.names))
        calls.clear()

    assert counted == [
        ["GetItem", "GetItem", "Query"],
        ["GetItem", "Query", "Query"],
        ["GetItem", "Query", "Query"],
    ]


def test_a_ping_of_a_healthy_cron_leaves_the_index_alone(api: Api, clock: Clock, calls: Calls) -> None:
    cron_id = api.new_cron(None)
    calls.clear()

    for _ in range(3):
        api.post(f"/api/ping/{cron_id}", key=None)
        clock.pass_by(minutes=1)

    written = [one["Put"]["Item"] for _, call in calls for one in call.get("TransactItems", ()) if "Put" in one]
    assert written
    assert not any("sd" in item for item in written)
