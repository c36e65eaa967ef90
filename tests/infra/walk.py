"""Every route, used as it is meant: with things that are there."""

import re
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

from chalicelib.api.routes import ROUTES
from chalicelib.domain.ids import canary_id
from chalicelib.domain.monitor.blackout import NEVER_HEARD
from chalicelib.services import sessions
from chalicelib.store.tick_log import note_canary, note_tick
from tests.api.browser import Browser
from tests.api.client import Answer, Api, Clock
from tests.infra.recorder import Recorder

DAILY = {"schedule": "0 13 * * *"}


class WalkedApi(Api):
    """Notes which routes were used well, and records what they call."""

    def __init__(self, api: Api, recorder: Recorder, routes: list[str]) -> None:
        super().__init__(api.client)
        self.key = api.key
        self.recorder = recorder
        self.walked: set[str] = set()
        # A literal path before one with a place in it.
        by_literals = sorted(routes, key=lambda each: [part.startswith("{") for part in each.split("/")])
        self._patterns = [(route, _pattern(route)) for route in by_literals]

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        with self.recorder.function():
            answer = super().call(method, path, body, **options)
        assert answer.status < 500, answer.text
        is_refused_form = method == "POST" and answer.status == 422 and "<form" in answer.text
        is_sent_on = answer.status == 303 and "signin" not in answer.headers["Location"]
        if answer.status < 300 or is_sent_on or is_refused_form:
            self.walked.add(
                next(
                    f"{method} {route}"
                    for route, pattern in self._patterns
                    if pattern.fullmatch(path.partition("?")[0])
                )
            )
        return answer


def _itself(api: WalkedApi, clock: Clock) -> None:
    note_tick(clock.now)
    canary = canary_id(bytes(10))
    note_canary(canary, "https://cron.example.com", NEVER_HEARD)
    api.get(f"/api/ping/{canary}", key=None)
    for method in ("GET", "HEAD"):
        for path in ("/api/health", "/api/health/deep"):
            api.call(method, path, key=None)
    api.get("/api/metrics")
    api.get("/api/metrics", per_cron="true", product="shop", service="nightly")
    api.get("/api/overview")
    api.get("/openapi.json", key=None)
    for method in ("GET", "HEAD"):
        for path in ("/robots.txt", "/favicon.ico"):
            api.call(method, path, key=None)


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", route))


def mailed(recorder: Recorder, pattern: str) -> str:
    """What a pattern finds in the latest mail."""
    letter = next(sent for operation, sent in reversed(recorder.sent) if operation == "SendRawEmail")
    found = re.search(pattern, message_from_bytes(letter["RawMessage"]["Data"], policy=default).get_content())
    assert found
    return found[1]


def walk(api: WalkedApi, clock: Clock, hook: str, topic: str) -> None:
    _people(api)
    _sessions(api, clock)
    project = api.post("/api/projects", {"name": "Shop"}).json["id"]
    api.get("/api/projects")
    api.get(f"/api/projects/{project}")
    api.patch(f"/api/projects/{project}", {"name": "The shop"})
    first, second = _crons(api, project)
    _channels(api, hook, topic)
    _dependencies(api, first, second)
    _signals(api, clock, first)
    _incident(api, first)
    _other_monitors(api, clock, first)
    _windows(api)
    _badges(api, first)
    _status_pages(api, first)
    api.get("/api/schedules/preview", schedule="0 2 * * *")
    for method in ("GET", "HEAD"):
        for path in ("/static/site.css", "/docs", "/docs/guides/crontab", "/problems/not-found"):
            api.call(method, path, key=None)
    _pages(api, clock, first)
    _itself(api, clock)
    api.start(first, run_id="over midnight")
    clock.pass_by(days=1, hours=2)
    api.heartbeat(first, run_id="of today")
    api.heartbeat(first, run_id="over midnight")
    api.get(f"/api/crons/{first}/stats")
    api.get(f"/api/crons/{first}")
    api.post(f"/api/crons/{second}/pause")
    api.post(f"/api/crons/{second}/resume")
    api.delete(f"/api/crons/{second}")
    _leave(api, first, project)


def _sessions(api: WalkedApi, clock: Clock) -> None:
    sessions.sign_in(api.key or "", "Firefox", clock.now)
    [listed] = api.get("/api/sessions").json["sessions"]
    api.delete(f"/api/sessions/{listed['id']}")
    # One is there when the org goes.
    sessions.sign_in(api.key or "", "Firefox", clock.now)
    desk, phone = Browser(api), Browser(api)
    desk.sign_in(api.key)
    made = desk.send(desk.get("/keys"), "link")
    token = made.text.partition("/signin/once#")[2].partition("<")[0]
    page = phone.send(phone.get("/signin/once"), action="signin/once", token=token)
    assert phone.send(page, "sign_in").status == 200


def _pages(api: WalkedApi, clock: Clock, cron: str) -> None:
    """Every page once, and a form of each that changes nothing: what forms do, the API does above."""
    browser = Browser(api)
    assert browser.sign_in(api.key).status == 200
    clock.pass_by(hours=2)
    ids = {"cron_id": cron, "run_id": api.runs(cron)[0]["id"]}
    ids["incident_id"] = api.get("/api/incidents").json["incidents"][0]["id"]
    times = {"starts_at": "2027-03-10T02:00:00Z", "ends_at": "2027-03-10T03:00:00Z"}
    ids["window_id"] = api.post("/api/maintenance", {"name": "Deploy", **times}).json["id"]
    hook = {"name": "hook", "kind": "apprise", "url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}
    ids["channel_id"] = api.post("/api/channels", hook).json["id"]
    ids["page_id"] = api.post("/api/status-pages", {"title": "Jobs", "crons": [{"cron_id": cron}]}).json["id"]
    invited = api.post("/api/orgs/walked/invite", {"email": "new@example.com", "role": "viewer"})
    assert invited.status == 201
    token = mailed(api.recorder, r'"token":"([^"]+)"')
    form_token = browser.get("/members").form(action="signout")["fields"]["form_token"]
    # After signing up or in, the browser is somebody else.
    last = ["/signout", "/invites/accept", "/signin", "/signup"]
    pages = [one for one in ROUTES if one.is_page]
    for one in sorted(pages, key=lambda page: last.index(page.path) if page.path in last else -1):
        path = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], one.path)
        for method in one.methods:
            fields = {"form_token": form_token, "do": "nothing", "token": token, "name": "New", "slug": "new-one"}
            answer = browser._call(method, path, {**fields, "key": api.key} if method == "POST" else None)
            assert answer.status != 403, (method, path, answer.text)


def _people(api: WalkedApi) -> None:
    slug = "walked"
    api.key = api.new_org(slug)
    api.get(f"/api/orgs/{slug}")
    key_id = api.post(f"/api/orgs/{slug}/api-keys", {"name": "of a job", "scope": "ingest"}).json["id"]
    api.get(f"/api/orgs/{slug}/api-keys")
    api.delete(f"/api/orgs/{slug}/api-keys/{key_id}")
    api.patch(f"/api/orgs/{slug}", {"name": "Walked", "slug": "walked-on"})
    api.patch("/api/orgs/walked-on", {"slug": slug})
    for _ in range(2):
        api.post(f"/api/orgs/{slug}/invite", {"email": "dev@example.com", "role": "member"})
    token = mailed(api.recorder, r'"token":"([^"]+)"')
    api.post("/api/invites/look", {"token": token}, key=None)
    accepted = api.post("/api/invites/accept", {"token": token}, key=None).json
    member = accepted["member"]["id"]
    api.get(f"/api/orgs/{slug}/members")
    api.patch(f"/api/orgs/{slug}/members/{member}", {"role": "admin"})
    theirs = api.post(f"/api/orgs/{slug}/api-keys", {"name": "of a member"}, key=accepted["key"]).json["id"]
    api.delete(f"/api/orgs/{slug}/api-keys/{theirs}")
    api.delete(f"/api/orgs/{slug}/members/{member}")
    invite = api.post(f"/api/orgs/{slug}/invite", {"email": "ops@example.com", "role": "viewer"}).json["id"]
    api.get(f"/api/orgs/{slug}/invites")
    api.delete(f"/api/orgs/{slug}/invites/{invite}")


def _crons(api: WalkedApi, project: str) -> list[str]:
    api.register({"name": "gone", **DAILY})
    ids = api.register({"name": "first", **DAILY}, {"name": "second", **DAILY}, prune=True)
    api.get("/api/crons")
    api.patch(f"/api/crons/{ids[0]}", {"project_id": project, "name": "renamed"})
    for allowed in (False, True):
        api.patch("/api/orgs/walked", {"keyless_signals": allowed})
    return ids


def _channels(api: WalkedApi, hook: str, topic: str) -> None:
    webhook = api.post("/api/channels", {"name": "hook", "kind": "webhook", "url": hook}).json["id"]
    sns = api.post("/api/channels", {"name": "topic", "kind": "sns", "url": topic}).json["id"]
    mail = api.post("/api/channels", {"name": "mail", "kind": "email", "url": "ops@example.com"}).json["id"]
    api.get("/api/channels/confirm", key=None, token=mailed(api.recorder, r"confirm\?token=(\S+)"))
    for channel in (webhook, sns, mail):
        assert api.post(f"/api/channels/{channel}/test").json["delivered"]
    api.get("/api/channels")
    api.get(f"/api/channels/{webhook}")
    api.post(f"/api/channels/{webhook}/rotate-secret")
    api.patch(f"/api/channels/{webhook}", {"name": "the hook"})
    api.delete(f"/api/channels/{webhook}")


def _dependencies(api: WalkedApi, first: str, second: str) -> None:
    api.post(f"/api/crons/{second}/dependencies", {"depends_on_id": first})
    api.get(f"/api/crons/{second}/dependencies")
    api.post(f"/api/crons/{second}/start", {"run_id": "blocked"})
    api.delete(f"/api/crons/{second}/dependencies/{first}")
    # Both ways in again: what a cron that goes depends on, and what depends on it.
    api.post(f"/api/crons/{second}/dependencies", {"depends_on_id": first})


def _signals(api: WalkedApi, clock: Clock, cron: str) -> None:
    api.start(cron, run_id="r1")
    api.post(f"/api/crons/{cron}/log", {"message": "half", "run_id": "r1"})
    clock.pass_by(seconds=20)
    api.heartbeat(cron, run_id="r1")
    api.heartbeat(cron, run_id="r1")
    for kind in ("start", "log", "ping", "fail"):
        for method in ("GET", "HEAD", "POST"):
            api.call(method, f"/api/{kind}/{cron}", key=None)
            clock.pass_by(seconds=5)
    api.call("POST", f"/api/fail/{cron}", raw="x" * 5000, content_type="text/plain", key=None)
    runs = api.runs(cron)
    for run in runs:
        api.get(f"/api/crons/{cron}/runs/{run['id']}")


def _incident(api: WalkedApi, cron: str) -> None:
    api.get("/api/incidents")
    incident = api.cron(cron)["incident"]["id"]
    api.get(f"/api/incidents/{incident}")
    api.post(f"/api/incidents/{incident}/acknowledge", {"note": "on it"})
    api.post(f"/api/incidents/{incident}/resolve")


def _other_monitors(api: WalkedApi, clock: Clock, cron: str) -> None:
    key = api.post("/api/orgs/walked/api-keys", {"name": "of pings", "scope": "ingest"}).json["key"]
    paths = (
        "/{0}",
        "/{0}/start",
        "/p/{1}/walked",
        "/ping/{0}",
        "/ping/{0}/start",
        "/{1}/made/0?create=1",
        "/ping/{1}/made/log",
    )
    for path in paths:
        for method in ("GET", "HEAD", "POST"):
            api.call(method, path.format(cron, key), key=None)
            clock.pass_by(seconds=61)
    for path in (f"/api/1/cron/walked/{key}", f"/api/1/cron/walked?sentry_key={key}"):
        for method in ("GET", "POST"):
            api.call(method, f"{path}{'&' if '?' in path else '?'}status=ok", key=None)
    check_in = '{}\n{"type":"check_in"}\n{"monitor_slug":"walked","status":"ok","environment":"dev"}'
    api.post("/api/1/envelope", raw=check_in, key=key, content_type="application/x-sentry-envelope")
    api.get("/api/0/organizations/walked/monitors")
    _monitors(api)
    _learned(api, clock)
    clock.pass_by(minutes=2)
    for method in ("GET", "POST"):
        api.call(method, f"/api/push/{cron}?status=up", key=None)
        clock.pass_by(minutes=2)
    for version in (1, 2, 3):
        _checks(api, f"/api/v{version}")


def _learned(api: WalkedApi, clock: Clock) -> None:
    cron = api.register({"name": "learned", "schedule": None}, service="learned")[0]
    for _ in range(9):
        clock.pass_by(minutes=10)
        api.heartbeat(cron)
    api.post(f"/api/crons/{cron}/accept-schedule")


def _monitors(api: WalkedApi) -> None:
    api.call("PUT", "/api/monitors", {"monitors": [{"key": "kept"}, {"key": "gone"}]})
    api.call("PUT", "/api/monitors.yaml", raw="jobs: {kept: {}}", content_type="application/yaml")
    for path in ("", ".yaml", "/kept", "/kept/pause/2", "/kept/pause", "/kept/pause/0"):
        api.get(f"/api/monitors{path}")
    api.delete("/api/monitors/gone")


def _checks(api: WalkedApi, base: str) -> None:
    check = api.post(f"{base}/checks", {"name": "walked"}).json["uuid"]
    api.call("POST", f"/ping/{check}", raw="output", key=None)
    for path in (
        "checks",
        f"checks/{check}",
        f"checks/{check}/pings",
        f"checks/{check}/flips",
        "channels",
        "badges",
    ):
        api.get(f"{base}/{path}")
        api.call("OPTIONS", f"{base}/{path}", key=None)
    api.get(f"{base}/status", key=None)
    api.get(f"{base}/checks/{check}/pings/1/body")
    api.call("OPTIONS", f"{base}/checks/{check}/pings/1/body", key=None)
    api.post(f"{base}/checks/{check}", {"name": "renamed"})
    for path in ("pause", "resume"):
        api.post(f"{base}/checks/{check}/{path}")
        api.call("OPTIONS", f"{base}/checks/{check}/{path}", key=None)
    api.delete(f"{base}/checks/{check}")


def _windows(api: WalkedApi) -> None:
    times = {"starts_at": "2027-03-10T02:00:00Z", "ends_at": "2027-03-10T03:00:00Z"}
    window = api.post("/api/maintenance", {"name": "Deploy", **times}).json["id"]
    api.get("/api/maintenance")
    api.get(f"/api/maintenance/{window}")
    api.patch(f"/api/maintenance/{window}", {"name": "Deploy v2"})
    api.delete(f"/api/maintenance/{window}")


def _badges(api: WalkedApi, cron: str) -> None:
    made = [api.post("/api/badges", body).json for body in ({"cron_id": cron}, {"tag": "db"}, {})]
    api.get("/api/badges")
    for badge in made:
        for method in ("GET", "HEAD"):
            api.call(method, urlsplit(badge["svg_url"]).path, key=None)
    api.delete(f"/api/badges/{made[0]['id']}")


def _status_pages(api: WalkedApi, cron: str) -> None:
    crons = [{"cron_id": cron}]
    page = api.post("/api/status-pages", {"title": "Jobs", "crons": crons}).json
    hidden = api.post("/api/status-pages", {"title": "More", "crons": crons, "address": "secret"}).json
    api.get("/api/status-pages")
    api.get(f"/api/status-pages/{page['id']}")
    for url in (page["url"], page["feed_url"], hidden["url"], hidden["feed_url"]):
        for method in ("GET", "HEAD"):
            api.call(method, urlsplit(url).path, key=None)
    api.patch(f"/api/status-pages/{page['id']}", {"crons": []})
    api.patch(f"/api/status-pages/{hidden['id']}", {"title": "Less"})
    api.delete(f"/api/status-pages/{page['id']}")


def _leave(api: WalkedApi, cron: str, project: str) -> None:
    """One of everything is there when the org goes; before, what has a route of its own to go by."""
    api.post("/api/projects", {"name": "Other"})
    api.post(f"/api/crons/{api.register({'name': 'third', **DAILY})[0]}/dependencies", {"depends_on_id": cron})
    times = {"starts_at": "2027-03-10T02:00:00Z", "ends_at": "2027-03-10T03:00:00Z"}
    api.post("/api/maintenance", {"name": "Deploy", **times})
    api.post("/api/orgs/walked/invite", {"email": "late@example.com", "role": "viewer"})
    assert api.delete(f"/api/projects/{project}").status in (204, 409)
    api.call("DELETE", "/api/orgs/walked", {"slug": "walked"})
