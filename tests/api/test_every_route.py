"""Every route of the app: who may use it, what it says to others, and how it takes a bad body."""

import json
from typing import Any, NamedTuple

import pytest

from app import app
from chalicelib.api.http.problem_types import BY_SLUG
from chalicelib.api.routes import ROUTES as DECLARED
from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import ApiKey, key_hash, key_text
from chalicelib.domain.accounts.permissions import Action, Role, Scope, may
from chalicelib.store.api_keys import key_item
from tests.api.client import Answer, Api, Clock
from tests.api.contract import PREFLIGHTS

READ, INGEST, CHANGE, ADMIN, OWN = Action
UNKNOWN = "00000000-0000-8000-8000-000000000000"
NO_ID = "0" * 26
CRON = f"/api/crons/{UNKNOWN}"


class Route(NamedTuple):
    """What reaches a route with ids of nothing."""

    path: str
    action: Action | None
    has_body: bool = False
    #: It names things of an org, so 404 for others.
    of_org: bool = True
    #: No form of its body is refused.
    is_signal: bool = False
    most_bytes: int = 100 * 1024


ROUTES = {
    "GET /api/health": Route("/api/health", None, of_org=False),
    "HEAD /api/health": Route("/api/health", None, of_org=False),
    "GET /api/health/deep": Route("/api/health/deep", None, of_org=False),
    "HEAD /api/health/deep": Route("/api/health/deep", None, of_org=False),
    "GET /openapi.json": Route("/openapi.json", None, of_org=False),
    "GET /api/overview": Route("/api/overview", READ, of_org=False),
    "GET /api/metrics": Route("/api/metrics", READ, of_org=False),
    "POST /api/orgs": Route("/api/orgs", None, has_body=True, of_org=False),
    "GET /api/orgs/{slug}": Route("/api/orgs/other", READ),
    "PATCH /api/orgs/{slug}": Route("/api/orgs/other", ADMIN, has_body=True),
    "DELETE /api/orgs/{slug}": Route("/api/orgs/other", OWN),
    "POST /api/orgs/{slug}/api-keys": Route("/api/orgs/other/api-keys", ADMIN, has_body=True, of_org=False),
    "GET /api/orgs/{slug}/api-keys": Route("/api/orgs/other/api-keys", ADMIN),
    "DELETE /api/orgs/{slug}/api-keys/{key_id}": Route(f"/api/orgs/other/api-keys/{NO_ID}", ADMIN),
    "POST /api/orgs/{slug}/invite": Route("/api/orgs/other/invite", ADMIN, has_body=True, of_org=False),
    "GET /api/orgs/{slug}/invites": Route("/api/orgs/other/invites", ADMIN),
    "DELETE /api/orgs/{slug}/invites/{invite_id}": Route(f"/api/orgs/other/invites/{NO_ID}", ADMIN),
    "GET /api/orgs/{slug}/members": Route("/api/orgs/other/members", READ),
    "PATCH /api/orgs/{slug}/members/{member_id}": Route(f"/api/orgs/other/members/{NO_ID}", ADMIN, has_body=True),
    "DELETE /api/orgs/{slug}/members/{member_id}": Route(f"/api/orgs/other/members/{NO_ID}", READ),
    "POST /api/invites/look": Route("/api/invites/look", None, has_body=True, of_org=False),
    "GET /api/sessions": Route("/api/sessions", READ, of_org=False),
    "DELETE /api/sessions/{session_id}": Route(f"/api/sessions/{NO_ID}", READ),
    "POST /api/invites/accept": Route("/api/invites/accept", None, has_body=True, of_org=False),
    "POST /api/projects": Route("/api/projects", CHANGE, has_body=True, of_org=False),
    "GET /api/projects": Route("/api/projects", READ, of_org=False),
    "GET /api/projects/{project_id}": Route(f"/api/projects/{NO_ID}", READ),
    "PATCH /api/projects/{project_id}": Route(f"/api/projects/{NO_ID}", CHANGE, has_body=True),
    "DELETE /api/projects/{project_id}": Route(f"/api/projects/{NO_ID}", CHANGE),
    "POST /api/crons/register": Route(
        "/api/crons/register", INGEST, has_body=True, of_org=False, most_bytes=1024 * 1024
    ),
    "GET /api/crons": Route("/api/crons", READ, of_org=False),
    "GET /api/crons/{cron_id}": Route(CRON, READ),
    "PATCH /api/crons/{cron_id}": Route(CRON, CHANGE, has_body=True),
    "DELETE /api/crons/{cron_id}": Route(CRON, CHANGE),
    "GET /api/crons/{cron_id}/stats": Route(f"{CRON}/stats", READ),
    "GET /api/crons/{cron_id}/runs": Route(f"{CRON}/runs", READ),
    "GET /api/crons/{cron_id}/runs/{run_id}": Route(f"{CRON}/runs/{NO_ID}", READ),
    "POST /api/crons/{cron_id}/pause": Route(f"{CRON}/pause", CHANGE),
    "POST /api/crons/{cron_id}/resume": Route(f"{CRON}/resume", CHANGE),
    "POST /api/crons/{cron_id}/accept-schedule": Route(f"{CRON}/accept-schedule", CHANGE),
    "POST /api/crons/{cron_id}/dependencies": Route(f"{CRON}/dependencies", CHANGE, has_body=True, of_org=False),
    "GET /api/crons/{cron_id}/dependencies": Route(f"{CRON}/dependencies", READ),
    "DELETE /api/crons/{cron_id}/dependencies/{depends_on_id}": Route(f"{CRON}/dependencies/{UNKNOWN}", CHANGE),
    "POST /api/crons/{cron_id}/start": Route(f"{CRON}/start", INGEST, has_body=True, is_signal=True),
    "POST /api/crons/{cron_id}/heartbeat": Route(
        f"{CRON}/heartbeat", INGEST, has_body=True, of_org=False, is_signal=True
    ),
    "POST /api/crons/{cron_id}/log": Route(f"{CRON}/log", INGEST, has_body=True, is_signal=True),
    "GET /api/incidents": Route("/api/incidents", READ, of_org=False),
    "GET /api/incidents/{incident_id}": Route(f"/api/incidents/{NO_ID}", READ),
    "POST /api/incidents/{incident_id}/acknowledge": Route(
        f"/api/incidents/{NO_ID}/acknowledge", CHANGE, has_body=True
    ),
    "POST /api/incidents/{incident_id}/resolve": Route(f"/api/incidents/{NO_ID}/resolve", CHANGE, has_body=True),
    "POST /api/maintenance": Route("/api/maintenance", CHANGE, has_body=True, of_org=False),
    "GET /api/maintenance": Route("/api/maintenance", READ, of_org=False),
    "GET /api/maintenance/{window_id}": Route(f"/api/maintenance/{NO_ID}", READ),
    "PATCH /api/maintenance/{window_id}": Route(f"/api/maintenance/{NO_ID}", CHANGE, has_body=True),
    "DELETE /api/maintenance/{window_id}": Route(f"/api/maintenance/{NO_ID}", CHANGE),
    "POST /api/channels": Route("/api/channels", CHANGE, has_body=True, of_org=False),
    "GET /api/channels": Route("/api/channels", READ, of_org=False),
    "GET /api/channels/confirm": Route("/api/channels/confirm", None, of_org=False),
    "GET /api/channels/{channel_id}": Route(f"/api/channels/{NO_ID}", READ),
    "PATCH /api/channels/{channel_id}": Route(f"/api/channels/{NO_ID}", CHANGE, has_body=True),
    "DELETE /api/channels/{channel_id}": Route(f"/api/channels/{NO_ID}", CHANGE),
    "POST /api/channels/{channel_id}/test": Route(f"/api/channels/{NO_ID}/test", CHANGE),
    "POST /api/channels/{channel_id}/rotate-secret": Route(f"/api/channels/{NO_ID}/rotate-secret", CHANGE),
    "POST /api/badges": Route("/api/badges", ADMIN, has_body=True, of_org=False),
    "GET /api/badges": Route("/api/badges", READ, of_org=False),
    "DELETE /api/badges/{badge_id}": Route(f"/api/badges/{NO_ID}", ADMIN),
    "POST /api/status-pages": Route("/api/status-pages", ADMIN, has_body=True, of_org=False),
    "GET /api/status-pages": Route("/api/status-pages", READ, of_org=False),
    "GET /api/status-pages/{page_id}": Route(f"/api/status-pages/{NO_ID}", READ),
    "PATCH /api/status-pages/{page_id}": Route(f"/api/status-pages/{NO_ID}", ADMIN, has_body=True),
    "DELETE /api/status-pages/{page_id}": Route(f"/api/status-pages/{NO_ID}", ADMIN),
    **{
        f"{method} /status/{{page_path}}{more}": Route(f"/status/nothing{more}", None)
        for method in ("GET", "HEAD")
        for more in ("", "/feed")
    },
    **{
        f"{method} {path}": Route(path, None, of_org=False)
        for method in ("GET", "HEAD")
        for path in ("/robots.txt", "/favicon.ico")
    },
    "GET /badge/{badge_file}": Route("/badge/nothing.svg", None),
    "HEAD /badge/{badge_file}": Route("/badge/nothing.svg", None),
    "GET /api/schedules/preview": Route("/api/schedules/preview", None, of_org=False),
    **{
        f"{method} {path}": Route(filled, None, of_org=False)
        for method in ("GET", "HEAD")
        for path, filled in (
            ("/static/{file}", "/static/site.css"),
            ("/docs", "/docs"),
            ("/docs/guides/{guide}", "/docs/guides/crontab"),
            ("/problems/{problem}", "/problems/not-found"),
        )
    },
    **{
        f"{method} /api/{kind}/{{cron_id}}": Route(f"/api/{kind}/{UNKNOWN}", None)
        for method in ("GET", "HEAD", "POST")
        for kind in ("ping", "start", "fail", "log")
    },
}
#: What people see is tested in test_signed_in_pages.py and beside it.
PAGES = {f"{method} {one.path}" for one in DECLARED if one.is_page for method in one.methods}
KEYED = [name for name, route in ROUTES.items() if route.action is not None]
WITH_BODY = [name for name, route in ROUTES.items() if route.has_body]
STRICT = [name for name in WITH_BODY if not ROUTES[name].is_signal]


def call(api: Api, name: str, **more: Any) -> Answer:
    return api.call(name.split(maxsplit=1)[0], ROUTES[name].path, **more)


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    if answer.text:
        problem = answer.json
        assert problem["status"] == status
        assert BY_SLUG[problem["type"].removeprefix("http://localhost:4000/problems/")].status == status
        assert problem["title"]
        assert problem["detail"]


def key_of(org_id: str, role: Role, scope: Scope, clock: Clock) -> str:
    text = key_text([len(role), len(scope)] * 20)
    key_id = ids.timed_id(clock.now, (role + scope).encode().ljust(10)[:10])
    key_item(ApiKey(key_id, org_id, "k", scope, clock.now, role), key_hash(text)).save()
    return text


def test_the_table_has_every_route_and_no_other() -> None:
    there = {f"{method} {path}" for path, methods in app.routes.items() for method in methods} - PREFLIGHTS

    of_others = {f"{method} {one.path}" for one in DECLARED if one.dialect is not None for method in one.methods}

    # What speaks in another monitor's form is tested in tests/api/compat.
    assert there == set(ROUTES) | of_others | PAGES
    assert not set(ROUTES) & of_others


def test_without_a_good_key_every_keyed_route_says_401(api: Api, clock: Clock) -> None:
    revoked = api.new_key("full")
    keys = api.get("/api/orgs/mon-org/api-keys").json["api_keys"]
    key_id = next(key["id"] for key in keys if key["name"] == "full")
    assert api.get("/api/crons", key=revoked).status == 200
    assert api.delete(f"/api/orgs/mon-org/api-keys/{key_id}").status == 204
    clock.pass_by(seconds=30)

    for name in KEYED:
        for key in (None, "rubbish", "ch_" + "x" * 40, revoked):
            if key is None and name == "POST /api/orgs/{slug}/api-keys":
                continue  # an org's first key is had without one
            answer = call(api, name, key=key)
            assert_problem(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("scope", Scope)
def test_a_key_may_what_its_role_and_scope_both_allow(api: Api, clock: Clock, role: Role, scope: Scope) -> None:
    org_id = api.get("/api/orgs/mon-org").json["id"]
    key = key_of(org_id, role, scope, clock)

    for name in KEYED:
        action = ROUTES[name].action
        assert action is not None
        if name.startswith("POST /api/orgs/{slug}/api-keys"):
            answer = api.post("/api/orgs/mon-org/api-keys", {"name": "x"}, key=key)
        else:
            answer = call(api, name, key=key)
        assert (answer.status == 403) is not may(role, scope, action), (name, answer.text)
        if answer.status == 403:
            assert_problem(answer, 403)


def test_what_is_another_orgs_is_what_is_nowhere(api: Api) -> None:
    stranger = api.key
    api.key = api.new_org("other")
    cron_id = api.new_cron()
    api.post(f"/api/fail/{cron_id}", key=None)
    incident = api.get("/api/incidents").json["incidents"][0]["id"]
    run = api.runs(cron_id)[0]["id"]
    api.key = stranger

    for name, route in ROUTES.items():
        if route.of_org and route.action is not None:
            theirs = (
                route.path.replace(UNKNOWN, cron_id)
                .replace(f"/api/incidents/{NO_ID}", f"/api/incidents/{incident}")
                .replace(f"/runs/{NO_ID}", f"/runs/{run}")
            )
            of_nothing = call(api, name)
            of_another = api.call(name.split()[0], theirs)
            assert_problem(of_nothing, 404)
            assert (of_another.status, of_another.text) == (of_nothing.status, of_nothing.text), name
    api.key = api.new_key("full", "mon-org")
    assert api.get(f"/api/crons/{cron_id}").status == 404


@pytest.mark.parametrize("name", STRICT)
def test_a_body_that_cannot_be_read_is_refused(api: Api, name: str) -> None:
    path = ROUTES[name].path.replace("other", "mon-org")
    method = name.split(maxsplit=1)[0]

    for raw in ('{"product":', "[]", '"text"', "7", "null", "\x00", "[" * 100_000, '{"a":NaN}', b"\xff\xfe"):
        assert_problem(api.call(method, path, raw=raw), 400)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "image/png"):
        assert_problem(api.call(method, path, raw="{}", content_type=content_type), 415)
    huge = json.dumps({"name": "x" * ROUTES[name].most_bytes})
    assert_problem(api.call(method, path, raw=huge), 413)


def test_pings_of_nothing_are_404(api: Api) -> None:
    for kind in ("ping", "start", "fail", "log"):
        for cron_id in (UNKNOWN, "nothing", UNKNOWN.upper() + "X", "%00", "..", "0" * 5000):
            assert_problem(api.post(f"/api/{kind}/{cron_id}", key=None), 404)
