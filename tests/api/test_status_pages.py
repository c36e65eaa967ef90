"""Status pages: what an org shows to anyone, and what it does not."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from chalicelib.api.pages import status
from chalicelib.api.pages.language import french
from chalicelib.services import public_page
from tests.api.client import Answer, Api, Clock
from tests.api.conftest import Calls

_ATOM = "{http://www.w3.org/2005/Atom}"


def new_page(api: Api, *cron_ids: str, **body: Any) -> dict[str, Any]:
    crons = [{"cron_id": cron_id} for cron_id in cron_ids]
    answer = api.post("/api/status-pages", {"title": "Acme jobs", "crons": crons, **body})
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def seen(api: Api, page: dict[str, Any], url: str = "url", **options: Any) -> Answer:
    answer = api.get(urlsplit(page[url]).path, key=None, **options)
    assert answer.status == 200, answer.text
    return answer


def text_of(answer: Answer) -> str:
    """What a person reads."""
    without_titles = re.sub(r"<title>.*?</title>", "", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without_titles))


def entries(answer: Answer) -> list[ElementTree.Element]:
    return ElementTree.fromstring(answer.text).findall(f"{_ATOM}entry")


def test_there_is_none_until_one_is_made(api: Api) -> None:
    api.new_cron()

    assert api.get("/status/mon-org", key=None).status == 404
    assert api.get("/status/mon-org/feed", key=None).status == 404
    assert api.get("/api/status-pages").json == {"status_pages": [], "next_cursor": None}


def test_it_shows_names_and_states(api: Api) -> None:
    good, bad = api.register({"name": "good", "schedule": None}, {"name": "bad", "schedule": None})
    api.heartbeat(good)
    api.heartbeat(bad, "failure", message="password is hunter2", exit_code=3)
    page = new_page(api)
    crons = [{"cron_id": good, "name": "Reports"}, {"cron_id": bad, "group": "Databases"}]
    api.patch(f"/api/status-pages/{page['id']}", {"crons": crons, "description": "What we run"})

    answer = seen(api, page)
    text = text_of(answer)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page["url"].endswith("/status/mon-org")
    for words in ("Acme jobs", "What we run", "Some jobs are down.", "Reports", "Databases", "A run failed."):
        assert words in text, words
    assert re.search(r"Reports\s+Working", text)
    assert re.search(r"bad\s+Down", text)
    assert "good" not in text
    assert "Down since 2026-03-10 12:00 UTC" in text


def test_it_gives_nothing_away(api: Api) -> None:
    cron_id = api.new_cron(None, description="secret words", tags=["inner"])
    api.heartbeat(cron_id, "failure", message="password is hunter2")
    incident = api.cron(cron_id)["incident"]["id"]
    times = {"starts_at": "2026-03-10T13:00:00Z", "ends_at": "2026-03-10T14:00:00Z"}
    window = api.post("/api/maintenance", {"name": "Move to the new datacenter", **times}).json["id"]
    page = new_page(api, cron_id)
    org_id = api.get("/api/orgs/mon-org").json["id"]

    for url in ("url", "feed_url"):
        told = seen(api, page, url).text
        for hidden in (cron_id, org_id, incident, window, page["id"], "hunter2", "secret words", "inner", "shop"):
            assert hidden not in told, hidden
        assert "datacenter" not in told
    assert "/api/ping" not in seen(api, page).text


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "]]>&"]
)
def test_what_people_typed_stays_text(api: Api, text: str) -> None:
    cron_id = api.new_cron(None)
    api.heartbeat(cron_id, "failure")
    crons = [{"cron_id": cron_id, "name": text, "group": text}]
    page = new_page(api, title=text, description=text, crons=crons)

    html, feed = seen(api, page).text, seen(api, page, "feed_url")

    assert "<script>alert" not in html
    assert "<img" not in html
    assert "49" not in re.sub(r"<[^>]+>|\d{4}-\d\d-\d\d", " ", html)
    [entry] = entries(feed)
    assert entry.findtext(f"{_ATOM}title") == f"{text} is down"


def test_it_is_in_french_where_that_is_wanted(api: Api) -> None:
    cron_id = api.new_cron(None)
    api.heartbeat(cron_id, "failure")
    page = new_page(api, cron_id)

    by_browser = seen(api, page, headers={"Accept-Language": "fr-CH, fr;q=0.9"})
    by_address = seen(api, page, lang="fr")
    feed = seen(api, page, "feed_url", lang="fr")

    for answer in (by_browser, by_address):
        assert answer.headers["Content-Language"] == "fr"
        assert "Certaines tâches sont en panne." in text_of(answer)
        assert "En panne depuis le 10/03/2026 12:00 UTC" in text_of(answer)
    assert entries(feed)[0].findtext(f"{_ATOM}title") == "backup est en panne"


def test_every_word_of_it_is_there_in_french() -> None:
    words = [*status._STATUS_WORDS.values(), *status._REASON_WORDS.values()]
    assert [word for word in words if word not in french()] == []
    code = Path(status.__file__).read_text()
    called = re.findall(r'translated\(\s*language,\s*"([^"]+)"', code)
    called += re.findall(r'_Summary\("[^"]*", "([^"]+)"\)', code)
    assert len(called) > 8
    assert [text for text in called if text not in french()] == []


def test_a_secret_page_is_only_at_its_path(api: Api) -> None:
    page = new_page(api, api.new_cron(), address="secret")
    path = urlsplit(page["url"]).path.removeprefix("/status/")

    answer = seen(api, page)

    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", path)
    assert api.get("/status/mon-org", key=None).status == 404
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in answer.text
    other = "y" if path.endswith("x") else "x"
    assert api.get(f"/status/{path[:-1]}{other}", key=None).status == 404


def test_an_address_moves(api: Api) -> None:
    page = new_page(api, api.new_cron())
    route = f"/api/status-pages/{page['id']}"

    secret = api.patch(route, {"address": "secret"}).json
    assert api.get("/status/mon-org", key=None).status == 404
    assert api.patch(route, {"address": "secret", "title": "x"}).json["url"] == secret["url"]
    seen(api, secret)
    back = api.patch(route, {"address": "slug"}).json
    assert api.get(urlsplit(secret["url"]).path, key=None).status == 404
    seen(api, back)
    api.patch("/api/orgs/mon-org", {"slug": "our-org"})

    moved = api.get(route).json
    assert moved["url"].endswith("/status/our-org")
    seen(api, moved)
    assert api.get("/status/mon-org", key=None).status == 404


def test_one_page_is_at_the_slug(api: Api) -> None:
    first = new_page(api)
    second = new_page(api, address="secret")

    assert api.post("/api/status-pages", {"title": "x"}).status == 409
    assert api.patch(f"/api/status-pages/{second['id']}", {"address": "slug"}).status == 409
    assert api.patch(f"/api/status-pages/{first['id']}", {"address": "slug", "title": "y"}).status == 200


def test_a_deleted_page_is_gone_at_once(api: Api) -> None:
    page, secret = new_page(api), new_page(api, address="secret")

    for one in (page, secret):
        assert api.delete(f"/api/status-pages/{one['id']}").status == 204
        assert api.get(urlsplit(one["url"]).path, key=None).status == 404
        assert api.get(urlsplit(one["feed_url"]).path, key=None).status == 404
    assert api.get("/api/status-pages").json["status_pages"] == []


def test_it_ends_with_its_org(api: Api) -> None:
    page, secret = new_page(api), new_page(api, address="secret")

    api.call("DELETE", "/api/orgs/mon-org", {"slug": "mon-org"})

    for one in (page, secret):
        assert api.get(urlsplit(one["url"]).path, key=None).status == 404


def test_crons_that_are_gone_are_left_out(api: Api) -> None:
    deleted, archived, kept = api.register(*({"name": name, "schedule": None} for name in ("one", "two", "three")))
    page = new_page(api, deleted, archived, kept)

    api.delete(f"/api/crons/{deleted}")
    api.register({"name": "three", "schedule": None}, prune=True)
    text = text_of(seen(api, page))

    assert "three" in text
    assert "one" not in text.split()
    assert "two" not in text.split()


def test_other_orgs_have_their_own(api: Api) -> None:
    page, own = new_page(api, api.new_cron()), api.key
    api.key = api.new_org("other")
    theirs = api.new_cron()
    stranger, api.key = api.key, own

    refused = api.post("/api/status-pages", {"title": "x", "address": "secret", "crons": [{"cron_id": theirs}]})

    assert refused.status == 422
    assert refused.wrong_fields == ["crons[0].cron_id"]
    for method, body in (("GET", None), ("PATCH", {"title": "taken"}), ("DELETE", None)):
        assert api.call(method, f"/api/status-pages/{page['id']}", body, key=stranger).status == 404
    assert api.get("/status/other", key=None).status == 404
    seen(api, page)


def test_only_admins_compose(api: Api) -> None:
    page = new_page(api)
    for scope in ("read", "ingest"):
        key = api.new_key(scope)
        assert api.post("/api/status-pages", {"title": "x"}, key=key).status == 403
        assert api.patch(f"/api/status-pages/{page['id']}", {"title": "x"}, key=key).status == 403
        assert api.delete(f"/api/status-pages/{page['id']}", key=key).status == 403
    assert api.get(f"/api/status-pages/{page['id']}", key=api.new_key("read")).json == page


def test_bad_input_names_its_field(api: Api) -> None:
    cron_id = api.new_cron()

    def wrong(**body: Any) -> list[str]:
        answer = api.post("/api/status-pages", {"title": "x", **body})
        assert answer.status == 422, answer.text
        return answer.wrong_fields

    assert wrong(title="") == ["title"]
    assert wrong(address="hidden") == ["address"]
    assert wrong(description="x" * 1001) == ["description"]
    assert wrong(crons=[{}]) == ["crons[0].cron_id"]
    assert wrong(crons=[{"cron_id": cron_id, "colour": "red"}]) == ["crons[0].colour"]
    assert wrong(crons=[{"cron_id": cron_id}, {"cron_id": cron_id}]) == ["crons[1].cron_id"]
    assert wrong(crons=[{"cron_id": cron_id, "name": " "}]) == ["crons[0].name"]
    assert wrong(crons=[{"cron_id": cron_id}] * 101) == ["crons"]
    assert wrong(show_uptime="yes") == ["show_uptime"]
    assert api.patch(f"/api/status-pages/{new_page(api)['id']}", {"crons": None}).status == 422
    assert api.patch("/api/status-pages/nothing", {"title": "x"}).status == 404


def test_at_most_twenty_pages(api: Api) -> None:
    for _ in range(20):
        new_page(api, address="secret")

    assert api.post("/api/status-pages", {"title": "x", "address": "secret"}).status == 409


def days(answer: Answer) -> list[str]:
    return re.findall(r'<rect class="(\w+)"', answer.text)


def test_ninety_days_are_a_strip(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 13 * * *")
    page = new_page(api, cron_id)
    for outcome in ("success", "success", "failure", "success"):
        clock.at("13:00:05")
        api.heartbeat(cron_id, outcome)
        clock.pass_by(days=1)
    clock.at("12:00:00")

    strip = days(seen(api, page))

    assert len(strip) == 90
    assert strip[-5:] == ["good", "good", "bad", "good", "none"]
    assert set(strip[:-5]) == {"none"}
    assert "75% of runs as planned" in text_of(seen(api, page))
    assert 'aria-label="Days with failures: 2026-03-12 (0%)"' in seen(api, page).text
    hidden = api.patch(f"/api/status-pages/{page['id']}", {"show_uptime": False})
    assert hidden.status == 200
    assert days(seen(api, page)) == []


def test_a_new_day_is_seen_though_the_days_are_kept(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    page = new_page(api, cron_id)
    clock.at("23:58:00")
    api.heartbeat(cron_id, "failure")
    assert days(seen(api, page))[-1:] == ["bad"]
    clock.pass_by(minutes=4)
    api.heartbeat(cron_id)

    assert days(seen(api, page))[-2:] == ["bad", "good"]


def test_incidents_are_listed_and_in_the_feed(api: Api, clock: Clock) -> None:
    first, second = api.register({"name": "first", "schedule": None}, {"name": "second", "schedule": None})
    page = new_page(api, first, second)
    api.heartbeat(first, "failure")
    clock.pass_by(hours=1)
    api.heartbeat(first)
    api.heartbeat(second, "failure")

    answer = seen(api, page, "feed_url")
    feed = ElementTree.fromstring(answer.text)
    found = entries(answer)

    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert feed.findtext(f"{_ATOM}title") == "Acme jobs"
    assert feed.findtext(f"{_ATOM}updated") == "2026-03-10T13:00:00Z"
    assert {one.findtext(f"{_ATOM}title") for one in found} == {"second is down", "first works again"}
    assert len({one.findtext(f"{_ATOM}id") for one in found}) == 2
    text = text_of(seen(api, page))
    assert re.search(r"Open incidents\s+second", text)
    assert re.search(r"The last 14 days\s+first\s+A run failed", text)
    api.patch(f"/api/status-pages/{page['id']}", {"show_incidents": False})
    assert entries(seen(api, page, "feed_url")) == []
    assert "Open incidents" not in text_of(seen(api, page))


def test_an_entry_keeps_its_id_when_the_incident_ends(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    page = new_page(api, cron_id)
    api.heartbeat(cron_id, "failure")
    [before] = entries(seen(api, page, "feed_url"))
    clock.pass_by(hours=1)
    api.heartbeat(cron_id)
    [after] = entries(seen(api, page, "feed_url"))

    assert before.findtext(f"{_ATOM}id") == after.findtext(f"{_ATOM}id")
    assert after.findtext(f"{_ATOM}updated") == "2026-03-10T13:00:00Z"


def test_an_old_incident_that_is_open_is_still_shown(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    page = new_page(api, cron_id)
    api.heartbeat(cron_id, "failure")
    clock.pass_by(days=40)

    assert "Since 2026-03-10 12:00 UTC" in text_of(seen(api, page))
    api.heartbeat(cron_id)
    assert "No past incidents." in text_of(seen(api, page))


def test_incidents_of_crons_that_are_not_shown_are_not_shown(api: Api) -> None:
    shown, other = api.register({"name": "shown", "schedule": None}, {"name": "other", "schedule": None})
    page = new_page(api, shown)
    api.heartbeat(other, "failure")

    assert "other" not in seen(api, page).text
    assert entries(seen(api, page, "feed_url")) == []
    assert "Some jobs are down." not in seen(api, page).text


def test_maintenance_is_shown_and_what_it_hides_is_not(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    page = new_page(api, cron_id)
    soon = {"starts_at": "2026-03-10T11:00:00Z", "ends_at": "2026-03-10T13:00:00Z"}
    far = {"starts_at": "2026-05-10T11:00:00Z", "ends_at": "2026-05-10T13:00:00Z"}
    elsewhere = {"starts_at": "2026-03-11T01:00:00Z", "ends_at": "2026-03-11T02:00:00Z", "product": "other"}
    for times in (soon, far, elsewhere):
        api.post("/api/maintenance", {"name": "Deploy", **times})
    api.heartbeat(cron_id, "failure")

    during = text_of(seen(api, page))
    [planned] = entries(seen(api, page, "feed_url"))
    clock.pass_by(minutes=5)
    api.heartbeat(cron_id)
    after = text_of(seen(api, page))

    assert re.search(
        r"Planned maintenance\s+Now\s+2026-03-10 11:00 UTC\s+–\s+2026-03-10 13:00 UTC\s+backup", during
    )
    assert "2026-05-10" not in during
    assert "2026-03-11" not in during
    assert "Some jobs are in maintenance." in during
    assert "Open incidents" not in during
    assert planned.findtext(f"{_ATOM}title") == "Planned maintenance"
    assert "No past incidents." in after


def test_its_cost_is_bounded_and_the_days_are_read_once(api: Api, clock: Clock, calls: Calls) -> None:
    ids = api.register(*({"name": f"job {n}", "schedule": None} for n in range(30)))
    page = new_page(api, *ids, address="secret")
    calls.clear()

    seen(api, page)
    first = list(calls.names)
    calls.clear()
    clock.pass_by(minutes=1)
    seen(api, page)
    again = list(calls.names)
    calls.clear()
    seen(api, page, "feed_url")

    assert len(first) == len(again) + 30
    assert again == ["GetItem", "GetItem", "BatchGetItem", "Query", "Query"]
    assert calls.names == again


def test_days_that_are_kept_are_forgotten(api: Api, clock: Clock, calls: Calls) -> None:
    cron_id = api.new_cron(None)
    page = new_page(api, cron_id)
    seen(api, page)
    clock.pass_by(minutes=10)
    calls.clear()

    seen(api, page)

    assert [given["TableName"] for name, given in calls if name == "Query"].count("cronhub-rollups") == 1
    assert len(public_page._kept) == 1
    assert timedelta(minutes=10) == public_page._DAYS_KEPT


def test_browsers_and_caches_keep_it_for_seconds(api: Api) -> None:
    page = new_page(api)
    for url in ("url", "feed_url"):
        assert seen(api, page, url).headers["Cache-Control"] == "public, max-age=30"
    assert "script-src 'self'" in seen(api, page).headers["Content-Security-Policy"]
