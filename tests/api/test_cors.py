"""Which pages of other sites may read an org's crons: those that the org allows, and nothing but reading."""

import pytest

from app import app
from chalicelib.api.http.route import ROUTES
from tests.api.client import Answer, Api

SITE = "https://dashboard.example.com"
LOCAL = "http://localhost:5173"


@pytest.fixture
def allowing(api: Api) -> Api:
    answer = api.patch("/api/orgs/mon-org", {"allowed_origins": [SITE, LOCAL]})
    assert answer.status == 200, answer.text
    assert answer.json["allowed_origins"] == [SITE, LOCAL]
    return api


def get(api: Api, path: str, origin: str = SITE, **options: str | None) -> Answer:
    return api.get(path, headers={"Origin": origin}, **options)


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


def preflight(api: Api, path: str, origin: str = SITE) -> Answer:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    return api.call("OPTIONS", path, key=None, headers={"Origin": origin, **asked})


def test_no_site_is_allowed_by_default(api: Api) -> None:
    assert api.get("/api/orgs/mon-org").json["allowed_origins"] == []
    assert allowed(get(api, "/api/crons")) is None


@pytest.mark.parametrize("origin", [SITE, LOCAL])
def test_a_site_that_is_allowed_reads(allowing: Api, origin: str) -> None:
    cron_id = allowing.new_cron()

    for path in ("/api/crons", f"/api/crons/{cron_id}", "/api/incidents", "/api/overview", "/api/metrics"):
        answer = get(allowing, path, origin)
        assert answer.status == 200
        assert allowed(answer) == origin
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://example.com", "https://dashboard.example.com.evil.io", f"{SITE}:8443", "null", SITE.upper(), "*"],
)
def test_only_the_exact_origin_is_allowed(allowing: Api, origin: str) -> None:
    answer = get(allowing, "/api/crons", origin)

    assert answer.status == 200
    assert allowed(answer) is None
    assert answer.headers["Vary"] == "Origin"


def test_it_is_the_orgs_own_setting(allowing: Api) -> None:
    stranger = allowing.new_org("other")

    assert allowed(get(allowing, "/api/crons", key=stranger)) is None
    assert allowed(get(allowing, "/api/crons", key=None)) is None
    assert allowed(get(allowing, "/api/crons")) == SITE


def test_an_error_can_be_read_too(allowing: Api) -> None:
    answer = get(allowing, "/api/crons/nothing")

    assert answer.status == 404
    assert allowed(answer) == SITE


def test_signals_changes_and_access_are_not_open(allowing: Api) -> None:
    cron_id = allowing.new_cron()

    for path in (
        f"/api/ping/{cron_id}",
        f"/api/start/{cron_id}",
        "/api/orgs/mon-org",
        "/api/orgs/mon-org/members",
    ):
        assert allowed(get(allowing, path)) is None, path
    changed = allowing.call("PATCH", f"/api/crons/{cron_id}", {"description": "x"}, headers={"Origin": SITE})
    assert changed.status == 200
    assert allowed(changed) is None


def test_no_route_but_reading_ones_answers_a_preflight() -> None:
    asked = {one.path for one in ROUTES if one.is_readable_elsewhere}

    assert "/api/crons" in asked
    for path in asked:
        assert "OPTIONS" in app.routes[path], path
        assert "GET" in app.routes[path], path
        assert path.startswith("/api/"), path
        assert not path.startswith(("/api/orgs", "/api/sessions", "/api/invites")), path
        assert not any(f"/api/{kind}/" in path for kind in ("ping", "start", "fail", "log")), path


def test_a_preflight_lets_a_key_be_sent_and_nothing_else(api: Api) -> None:
    answer = preflight(api, "/api/crons")

    assert answer.status == 204
    assert answer.text == ""
    assert allowed(answer) == SITE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization"
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["http://example.com", "null", "file://", "https://a.b/path", "*", "https://"])
def test_a_preflight_of_what_can_never_be_allowed_allows_nothing(api: Api, origin: str) -> None:
    assert allowed(preflight(api, "/api/crons", origin)) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://*.example.com",
        "https://user@example.com",
        "https://Example.com",
        "https://example.com:443",
        "http://localhost:80",
        "https://example.com:99999",
        "https://example.com:0",
        "https://exa mple.com",
        "https://-a.com",
        "https://",
        "example.com",
        "null",
        "*",
        "",
        "https://" + "a." * 200 + "com",
        7,
    ],
)
def test_what_is_no_origin_is_refused_by_name(api: Api, origin: object) -> None:
    answer = api.patch("/api/orgs/mon-org", {"allowed_origins": [SITE, origin]})

    assert answer.status == 422
    assert answer.wrong_fields == ["allowed_origins[1]"]


def test_the_list_is_bounded_distinct_and_can_be_emptied(allowing: Api) -> None:
    many = [f"https://site-{n}.example.com" for n in range(21)]

    assert allowing.patch("/api/orgs/mon-org", {"allowed_origins": many}).wrong_fields == ["allowed_origins"]
    twice = allowing.patch("/api/orgs/mon-org", {"allowed_origins": [SITE, SITE, LOCAL]})
    assert twice.json["allowed_origins"] == [SITE, LOCAL]
    assert allowing.patch("/api/orgs/mon-org", {"name": "Kept"}).json["allowed_origins"] == [SITE, LOCAL]
    assert allowing.patch("/api/orgs/mon-org", {"allowed_origins": []}).json["allowed_origins"] == []
    assert allowed(get(allowing, "/api/crons")) is None


def test_only_admins_allow_sites(api: Api) -> None:
    answer = api.patch("/api/orgs/mon-org", {"allowed_origins": [SITE]}, key=api.new_key("ingest"))

    assert answer.status == 403
