"""The pages of who is signed in: who may see and do what, and that what is typed stays text."""

import re
from collections.abc import Iterator

import pytest

from chalicelib.api.http.route import ROUTES
from tests.api.browser import Browser, Page
from tests.api.client import Api, Clock
from tests.api.test_sessions import join

SCRIPT = "<script>alert('x')</script>\"'%(x)s"
PAGES = sorted({(method, one.path) for one in ROUTES if one.is_page for method in one.methods})


def filled(api: Api, clock: Clock) -> dict[str, str]:
    """One of everything, all of it with a script for a name; returns ids by what stands in paths."""
    project = api.post("/api/projects", {"name": SCRIPT, "description": SCRIPT}).json["id"]
    settings = {"schedule": "0 * * * *", "description": SCRIPT, "tags": [SCRIPT], "project_id": project}
    first, second = api.register(
        {"name": SCRIPT, **settings},
        {"name": "other", "schedule": "@every 10m", "depends_on": [SCRIPT]},
        product=SCRIPT,
        service=SCRIPT,
    )
    for took in range(12):
        api.post(f"/api/start/{first}", key=None)
        clock.pass_by(seconds=20 + took)
        api.post(f"/api/ping/{first}", key=None, raw=f"{SCRIPT}\nline {took}", content_type="text/plain")
        clock.pass_by(hours=1)
    kinds = {"name": SCRIPT, "kind": "apprise", "url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}
    channel = api.post("/api/channels", kinds).json["id"]
    api.post(f"/api/fail/{first}?exit_code=3", key=None, raw=SCRIPT, content_type="text/plain")
    incident = api.get("/api/incidents").json["incidents"][0]["id"]
    api.post(f"/api/incidents/{incident}/acknowledge", {"note": SCRIPT, "by": SCRIPT})
    times = {"schedule": "0 3 * * *", "duration_minutes": 60, "cron_ids": [second]}
    window = api.post("/api/maintenance", {"name": SCRIPT, **times}).json["id"]
    shown = [{"cron_id": first, "name": SCRIPT, "group": SCRIPT}]
    status = {"title": SCRIPT, "description": SCRIPT, "crons": shown}
    return {
        "cron_id": first,
        "page_id": api.post("/api/status-pages", status).json["id"],
        "run_id": api.runs(first)[0]["id"],
        "incident_id": incident,
        "window_id": window,
        "channel_id": channel,
    }


def read_pages(ids: dict[str, str]) -> Iterator[str]:
    for method, path in PAGES:
        if method == "GET" and path not in ("/signin", "/invites/accept", "/crons"):
            filled_in = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none"), path)
            yield filled_in + (f"?ids={ids['cron_id']}" if path in ("/crons/rows", "/crons/changes") else "")


def test_whatever_people_type_stays_text_on_every_page(api: Api, clock: Clock, browser: Browser) -> None:
    ids = filled(api, clock)
    join(api, "dev@example.com", "viewer")
    shown = 0
    for path in [*read_pages(ids), "/incidents?status=all", "/channels?add=slack", "/?order=name&status=down"]:
        for language in ("en", "fr"):
            page = browser.get(path + ("&" if "?" in path else "?") + f"lang={language}")

            assert page.status == 200, (path, page.text[:2000])
            assert f'<html lang="{language}"' in page.text
            assert "<script>" not in page.text
            assert not re.search(r" style=| on\w+=|javascript:", page.text)
            policy = page.answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy
            assert "no-store" in page.answer.headers["Cache-Control"]
            shown += "&lt;script&gt;" in page.text
    assert shown >= 20


def test_every_id_and_label_of_a_page_is_there_once(api: Api, clock: Clock, browser: Browser) -> None:
    ids = filled(api, clock)
    for path in read_pages(ids):
        text = browser.get(path).text
        found = re.findall(r'\sid="([^"]+)"', text)
        labelled = re.findall(r'<label[^>]* for="([^"]+)"', text)

        assert len(found) == len(set(found)), (path, sorted(one for one in found if found.count(one) > 1))
        assert set(labelled) <= set(found), (path, set(labelled) - set(found))
        described = " ".join(re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', text)).split()
        assert set(described) <= set(found), (path, set(described) - set(found))


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_who_is_not_signed_in_is_sent_to_sign_in(api: Api, method: str, path: str) -> None:
    if path in ("/", "/signin", "/signin/once", "/signup", "/invites/accept"):
        return
    answer = Browser(api)._call(method, path.replace("{", "x").replace("}", ""), {} if method == "POST" else None)

    assert answer.status == 303
    assert "signin" in answer.headers["Location"]
    assert answer.text == ""


@pytest.mark.parametrize("path", [path for method, path in PAGES if method == "POST"])
def test_a_form_of_another_site_does_nothing(api: Api, browser: Browser, path: str) -> None:
    target = path.replace("{", "x").replace("}", "")
    fields = {"form_token": "guessed", "key": api.key or "", "do": "delete", "name": "x", "slug": "x"}
    for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = browser.post(target, fields, **origin)
        assert answer.status == 403, path
        assert "Set-Cookie" not in answer.headers


def test_a_form_without_the_sessions_token_does_nothing(api: Api, browser: Browser) -> None:
    cron_id = api.new_cron()
    other = Browser(api)
    other.sign_in(api.key)
    theirs = other.get(f"/crons/{cron_id}").form("pause")["fields"]["form_token"]
    for token in ("", "guessed", theirs):
        assert browser.post(f"/crons/{cron_id}", {"do": "pause", "form_token": token}).status == 403

    assert api.cron(cron_id)["status"] == "new"


@pytest.mark.parametrize("path", ["", "crons/abc?x=1", "incidents"])
def test_signing_in_leads_back_to_where_one_was_going(api: Api, path: str) -> None:
    browser = Browser(api)
    asked = browser._call("GET", f"/{path}") if path else None
    page = browser.get("/signin" if asked is None else Browser.target("/" + path, asked))

    answer = browser.post("/signin", {**page.form(action="signin")["fields"], "key": api.key or ""})

    assert Browser.target("/signin", answer) == f"/{path}"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "\\\\evil.example", "javascript:alert(1)", "../../x", "a\nb"],
)
def test_signing_in_leads_to_no_other_site(api: Api, target: str) -> None:
    browser = Browser(api)

    answer = browser.post("/signin", {"key": api.key or "", "next": target})

    assert answer.headers["Location"] == "./"


def test_a_wrong_key_is_named_beside_its_field_and_kept(api: Api) -> None:
    browser = Browser(api)

    page = browser.send(browser.get("/signin"), action="signin", key="ch_wrong")

    assert page.status == 422
    assert "API key: is unknown or was revoked" in page.words
    assert 'value="ch_wrong"' in page.text
    assert browser.cookie == ""


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Browser(api).post("/signin", {"key": api.key or ""}).headers["Set-Cookie"]
    monkeypatch.setenv("CRONHUB_BASE_URL", "https://cronhub.example.com")
    secure = Browser(api).post("/signin", {"key": api.key or ""}).headers["Set-Cookie"]

    assert given.startswith("cronhub=")
    assert "; HttpOnly; SameSite=Lax" in given
    assert "Secure" not in given
    assert secure.startswith("__Host-cronhub=")
    assert secure.endswith("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure")


def test_a_session_that_is_ended_is_out_at_once(api: Api, browser: Browser) -> None:
    [mine] = api.get("/api/sessions").json["sessions"]
    other = Browser(api)
    other.sign_in(api.key)

    api.delete(f"/api/sessions/{mine['id']}")

    assert "Sign in" in browser.get("/members").words
    assert "Sign out" in other.get("/members").words


def test_signing_out_ends_the_session(api: Api, browser: Browser) -> None:
    cookie = browser.cookie

    page = browser.send(browser.get("/"), action="signout")

    assert "You are signed out." in page.words
    assert api.get("/api/sessions").json["sessions"] == []
    browser.cookie = cookie
    assert "Sign in" in browser.get("/keys").words


def test_first_visit_org_key_cron_and_its_first_signal(api: Api, clock: Clock) -> None:
    browser = Browser(api)
    page = browser.get("/")
    assert "Know when a scheduled job did not run" in page.words

    page = browser.send(page, action="signup", name="Acme & Sons", slug="acme")

    assert page.status == 200
    [key] = set(re.findall(r"ch_[A-Za-z0-9]{40}", page.text))
    assert "Acme & Sons is ready" in page.words
    page = browser.send(page, "", action="crons", name="backup", schedule="0 2 * * *", timezone="UTC")
    assert page.path.endswith("/first")
    assert "Waiting for the first signal…" in page.words
    [url] = set(re.findall(r"http://localhost:4000(/api/ping/[0-9a-f-]{36})", page.text))
    assert api.post(url, key=None).status == 200
    clock.pass_by(seconds=7)
    assert "It arrived 7 s ago." in browser.get(page.path).words
    assert key not in browser.get("/keys").text
    assert api.get("/api/crons", key=key).json["crons"][0]["name"] == "backup"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "", "slug": "x"}, "Name: must be 1 to 128 characters"),
        ({"name": "X", "slug": "Not A Slug"}, "Short name: must be 1 to 63 of a-z"),
        ({"name": "X", "slug": "admin"}, "Short name: is a reserved word"),
        ({"name": "X", "slug": "mon-org"}, "The slug mon-org is taken."),
    ],
)
def test_a_refused_organization_names_the_field_and_keeps_what_was_typed(
    api: Api, fields: dict[str, str], said: str
) -> None:
    browser = Browser(api)

    page = browser.send(browser.get("/"), action="signup", **fields)

    assert page.status in (409, 422)
    assert said in page.words
    for value in fields.values():
        assert f'value="{value}"' in page.text
    assert browser.cookie == ""


def test_an_invitation_says_what_it_is_and_signs_in(api: Api) -> None:
    link = api.post("/api/orgs/mon-org/invite", {"email": "dev@example.com", "role": "viewer"}).json["link"]
    token = link.partition("#")[2]
    browser = Browser(api)

    page = browser.send(browser.get("/invites/accept"), action="accept", token=link)

    for said in ("Join Mon-Org on CronHub", "viewer: sees everything", "Invited by first", "dev@example.com"):
        assert said in page.words
    assert api.get("/api/orgs/mon-org/members").json["members"] == []
    page = browser.send(page, "", action="accept", name="Ann" * 50)
    assert "Your name: must be" in page.words
    assert f'value="{"Ann" * 50}"' in page.text
    page = browser.send(page, "", action="accept", name="Ann")
    assert "Welcome, Ann" in page.words
    assert re.search(r"ch_[A-Za-z0-9]{40}", page.text)
    assert "Role: viewer" in browser.get("/").words
    again = Browser(api)
    page = again.send(again.get("/invites/accept"), action="accept", token=token)
    assert page.status == 410
    assert "This invitation was used, revoked or has expired." in page.words


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_what_a_role_may_not_do_is_neither_offered_nor_done(api: Api, clock: Clock, role: str) -> None:
    ids = filled(api, clock)
    _, key = join(api, "dev@example.com", role)
    browser = Browser(api)
    browser.sign_in(key)
    can_change, can_admin = role != "viewer", role == "admin"

    assert browser.get(f"/crons/{ids['cron_id']}").offers("pause") is can_change
    assert browser.get("/").offers("delete") is can_change
    assert ("New cron" in browser.get("/").words) is can_change
    assert browser.get(f"/channels/{ids['channel_id']}").offers("test") is can_change
    assert browser.get("/maintenance").words.count("Plan maintenance") == can_change
    assert browser.get("/members").offers("invite") is can_admin
    assert browser.get("/keys").offers("create") is can_admin
    assert browser.get("/settings").offers("change") is can_admin
    assert not browser.get("/settings").offers("delete")
    token = browser.get("/").form(action="signout")["fields"]["form_token"]
    tries = [
        (f"/crons/{ids['cron_id']}", {"do": "pause"}, can_change),
        ("/projects", {"do": "create", "name": "p"}, can_change),
        ("/settings", {"do": "change", "name": "x", "slug": "mon-org"}, can_admin),
    ]
    for path, fields, may in tries:
        assert (browser.post(path, {**fields, "form_token": token}).status == 403) is not may, path
    invited = browser.post(
        "/members", {"do": "invite", "email": "x@example.com", "role": "viewer", "form_token": token}
    )
    assert (invited.status == 200) is can_admin


def page_of(browser: Browser, path: str) -> Page:
    page = browser.get(path)
    assert page.status == 200, page.text[:1000]
    return page


def test_crons_are_counted_grouped_and_the_worst_is_first(api: Api, clock: Clock, browser: Browser) -> None:
    well, down, _ = api.register(
        *(
            {"name": name, "schedule": "0 * * * *", "grace_seconds": 1200}
            for name in ("a-well", "b-down", "c-late")
        )
    )
    api.register({"name": "paused", "schedule": None}, service="other")
    api.heartbeat(well, duration_ms=1500)
    api.heartbeat(down, "failure")
    clock.at("13:12")
    api.heartbeat(well, duration_ms=65_000)

    page = page_of(browser, "/")

    assert "4 all 1 down 1 late 1 new 1 up" in page.words
    names = re.findall(r'class="cron-name"[^>]*>([^<]+)<', page.text)
    assert names == ["b-down", "c-late", "a-well", "paused"]
    assert "down for 1 h 12 min" in page.words
    assert "12 min overdue" in page.words
    assert "1 min 5 s" in page.words
    assert page.text.count("<title>10 Mar, 13:10, success, 1 min 5 s</title>") == 1
    assert 'data-down="1"' in page.text
    assert "<title>(1) Crons" in page.text


def test_filters_and_order_stand_in_the_address(api: Api, browser: Browser) -> None:
    api.register({"name": "b", "schedule": None, "tags": ["night"]}, {"name": "a", "schedule": None})
    api.register({"name": "c", "schedule": None}, product="other")

    def names(path: str) -> list[str]:
        return re.findall(r'class="cron-name"[^>]*>([^<]+)<', page_of(browser, path).text)

    assert names("/?order=name") == ["c", "a", "b"]
    assert names("/?tag=night") == ["b"]
    assert names("/?search=OTHER") == ["c"]
    assert names("/?status=down") == []
    assert names("/?status=nonsense&order=nonsense&page=x") == names("/")
    assert "No cron matches." in page_of(browser, "/?search=zzz").words


def test_the_rows_behind_the_first_hundred_are_asked_for(api: Api, browser: Browser) -> None:
    ids = api.register(*({"name": f"job {n:03}", "schedule": None} for n in range(120)))

    page = page_of(browser, "/")

    assert page.text.count("data-row") == 100
    [later] = re.findall(r'data-later="([^"]+)"', page.text)
    assert len(later.split()) == 20
    rows = page_of(browser, f"/crons/rows?ids={later.replace(' ', '+')}+{ids[0]}+nonsense")
    assert rows.text.count("data-row") == 21
    assert page_of(browser, "/?page=2").text.count("data-row") == 20


def test_several_at_once_are_paused_tagged_resumed_and_deleted(api: Api, browser: Browser) -> None:
    ids = api.register(*({"name": name, "schedule": None, "tags": ["old"]} for name in "abc"))

    def send(button: str, **fields: str) -> Page:
        page = page_of(browser, "/")
        return browser.send(page, button, id=ids[:2], **fields)

    assert "Paused." in send("pause").words
    assert [api.cron(one)["status"] for one in ids] == ["paused", "paused", "new"]
    send("resume")
    assert "Tagged." in send("tag", tags="night, new").words
    assert [api.cron(one)["tags"] for one in ids] == [["old", "night", "new"]] * 2 + [["old"]]
    page = send("delete")
    assert "Delete 2 crons?" in page.words
    assert api.get(f"/api/crons/{ids[0]}").status == 200
    token = page.form(action="signout")["fields"]["form_token"]
    answer = browser.post("/crons", {"do": "delete", "sure": "1", "id": ids[:2], "form_token": token})
    assert answer.status == 303
    assert [one["id"] for one in api.get("/api/crons").json["crons"]] == ids[2:]


def test_a_new_cron_with_a_wrong_field_keeps_what_was_typed(api: Api, browser: Browser) -> None:
    page = browser.send(
        page_of(browser, "/crons/new"),
        "",
        action="crons",
        name="nightly",
        schedule="61 2 * * *",
        grace_seconds="soon",
    )

    assert page.status == 422
    assert "Schedule: minute: 61 is not within 0-59" in page.words
    assert "Grace: must be a whole number" in page.words
    assert 'value="61 2 * * *"' in page.text
    assert api.get("/api/crons").json["crons"] == []
    page = browser.send(
        page, "", action="crons", name="nightly", schedule="1 2 * * *", grace_seconds="10m", tags="a, b"
    )
    assert page.status == 200
    [made] = api.get("/api/crons").json["crons"]
    assert (made["grace_seconds"], made["tags"], made["product"]) == (600, ["a", "b"], "mon-org")


def test_a_taken_name_is_refused_and_changes_nothing(api: Api, browser: Browser) -> None:
    api.register({"name": "backup", "schedule": "0 2 * * *"})
    fields = {"product": "shop", "service": "nightly", "name": "backup", "schedule": "5 5 * * *"}

    page = browser.send(page_of(browser, "/crons/new"), "", action="crons", **fields)

    assert "Name: is the name of another cron of this service" in page.words
    assert api.get("/api/crons").json["crons"][0]["schedule"] == "0 2 * * *"


def test_a_cron_is_edited_paused_and_deleted(api: Api, browser: Browser) -> None:
    cron_id = api.new_cron(grace_seconds=600, max_runtime_seconds=7200, tags=["x"])
    page = page_of(browser, f"/crons/{cron_id}/edit")
    assert 'value="10m"' in page.text
    fields = dict(re.findall(r'<input id="f-\w+" name="(\w+)" type="text" value="([^"]*)"', page.text))

    browser.send(page, "", action=f"/crons/{cron_id}", **{**fields, "name": "renamed", "sla_target": "99,5"})

    cron = api.cron(cron_id)
    assert (cron["name"], cron["sla_target"], cron["grace_seconds"]) == ("renamed", 99.5, 600)
    assert "It is paused" in browser.send(page_of(browser, f"/crons/{cron_id}"), "pause").words
    assert "It has not sent a signal yet." in browser.send(page_of(browser, f"/crons/{cron_id}"), "resume").words
    page = browser.send(page_of(browser, f"/crons/{cron_id}"), "delete")
    assert "Delete 1 cron?" in page.words
    token = page.form(action="signout")["fields"]["form_token"]
    browser.post(f"/crons/{cron_id}", {"do": "delete", "sure": "1", "form_token": token})
    assert api.get(f"/api/crons/{cron_id}").status == 404


def test_a_cron_says_what_is_wrong_since_when_and_who_was_told(api: Api, clock: Clock, browser: Browser) -> None:
    cron_id = api.new_cron("0 * * * *", timezone="Europe/Paris")
    api.post(f"/api/fail/{cron_id}?exit_code=3", key=None, raw="disk full", content_type="text/plain")
    clock.pass_by(minutes=12)

    page = page_of(browser, f"/crons/{cron_id}")

    assert "Its last run failed with exit code 3. Since 10 Mar, 12:00 UTC, 12 min ago." in page.words
    assert "No alert was sent: there is no channel." in page.words
    assert "disk full" in page.words
    assert f"curl -fsS -m 10 --retry 5 -o /dev/null http://localhost:4000/api/ping/{cron_id}" in page.words
    assert "crontab Shell Python Node systemd Kubernetes GitHub Actions" in " ".join(
        re.findall(r"<summary>([A-Za-z ]+)</summary>", page.text)
    )
    page = browser.send(page, "acknowledge", note="on it")
    assert "Acknowledged. No reminders are sent." in page.words
    incident = api.cron(cron_id)["incident"]["id"]
    page = page_of(browser, f"/incidents/{incident}")
    assert "Acknowledged by first" in page.words
    assert "on it" in page.words
    browser.send(page, "note", note="found it")
    browser.send(page_of(browser, f"/incidents/{incident}"), "resolve", note="done")
    words = page_of(browser, f"/incidents/{incident}").words
    assert "found it" in words
    assert "by hand: done" in words
    assert "There is no open incident." in page_of(browser, "/incidents").words


def test_a_run_that_was_missed_and_one_that_hangs_are_told_apart(api: Api, clock: Clock, browser: Browser) -> None:
    missed, hung = api.register(
        {"name": "missed", "schedule": "0 * * * *"},
        {"name": "hung", "schedule": None, "max_runtime_seconds": 60},
    )
    api.post(f"/api/start/{hung}", key=None)
    clock.at("13:30")
    api.tick()

    assert "It did not run at 2026-03-10 13:00 UTC." in page_of(browser, f"/crons/{missed}").words
    assert "A run started and never reported its end" in page_of(browser, f"/crons/{hung}").words


def test_maintenance_holds_an_alert_and_the_page_says_until_when(api: Api, clock: Clock, browser: Browser) -> None:
    cron_id = api.new_cron(None)
    page = browser.send(
        page_of(browser, "/maintenance"),
        "",
        action="maintenance",
        name="Deploy",
        kind="once",
        starts_at="2026-03-10T13:00",
        ends_at="2026-03-10T14:30",
        timezone="Europe/Paris",
    )
    assert page.status == 200, page.words
    clock.at("12:30")
    api.post(f"/api/fail/{cron_id}", key=None)

    words = page_of(browser, f"/crons/{cron_id}").words

    assert "It is in maintenance until 2026-03-10 13:30 UTC, for another 1 h." in words
    assert "maintenance holds it until 2026-03-10 13:30 UTC" in words
    window = api.get("/api/maintenance").json["maintenance"][0]["id"]
    assert "active" in page_of(browser, f"/maintenance/{window}").words
    browser.send(page_of(browser, f"/maintenance/{window}"), "delete")
    assert api.get("/api/maintenance").json["maintenance"] == []


def test_maintenance_with_wrong_fields_names_them(api: Api, browser: Browser) -> None:
    page = browser.send(
        page_of(browser, "/maintenance"), "", action="maintenance", name="x", kind="repeating", schedule="nonsense"
    )

    assert page.status == 422
    assert "Schedule of its start:" in page.words
    assert 'value="nonsense"' in page.text


def test_dependencies_are_added_by_address_and_removed(api: Api, browser: Browser) -> None:
    first, second = api.register({"name": "first", "schedule": None}, {"name": "second", "schedule": None})

    browser.send(
        page_of(browser, f"/crons/{second}"), "depend", depends_on_id=f"http://localhost:4000/crons/{first}?x=1"
    )

    assert api.cron(second)["depends_on"] == [first]
    page = browser.send(page_of(browser, f"/crons/{first}"), "depend", depends_on_id=second)
    assert page.status == 409
    assert "A cron would wait for itself" in page.words
    browser.send(page_of(browser, f"/crons/{second}"), "undepend")
    assert api.cron(second)["depends_on"] == []


def test_a_refused_setting_keeps_what_is_typed_and_what_is_saved_beside_it(api: Api, browser: Browser) -> None:
    discord = {"name": "ops", "kind": "apprise", "url": "discord://4174216298/very-secret-token-of-discord"}
    channel = api.post("/api/channels", discord).json["id"]
    report = {"every": "weekly", "channel_ids": [channel]}
    assert api.patch("/api/orgs/mon-org", {"report": report}).status == 200

    page = browser.send(page_of(browser, "/settings"), "change", name="", slug="mon-org", keyless_signals="")

    assert page.status == 422
    assert 'name="keyless_signals" value="1">' in page.text
    assert f'name="channel_ids" value="{channel}" checked>' in page.text
    page = browser.send(page, "report", every="weekly", day="9", hour="7", timezone="UTC")
    assert 'name="keyless_signals" value="1" checked>' in page.text
    assert f'name="channel_ids" value="{channel}">' in page.text


def test_projects_and_settings_are_changed(api: Api, browser: Browser) -> None:
    browser.send(page_of(browser, "/projects"), "create", name="Shop", description="all of it")
    [project] = api.get("/api/projects").json["projects"]
    page = browser.send(page_of(browser, "/projects"), "change", id=project["id"], name="", description="x")
    assert "must be 1 to 128 characters" in page.words
    browser.send(page_of(browser, "/projects"), "change", id=project["id"], name="Store", description="x")
    assert api.get("/api/projects").json["projects"][0]["name"] == "Store"
    browser.send(page_of(browser, "/projects"), "delete", id=project["id"])
    assert api.get("/api/projects").json["projects"] == []

    browser.send(page_of(browser, "/settings"), "change", name="Mine", slug="mine", first_contact="1")
    changed = api.get("/api/orgs/mine").json
    assert (changed["name"], changed["first_contact"], changed["keyless_signals"]) == ("Mine", True, False)
    plan = {"every": "weekly", "hour": "8", "timezone": "Europe/Paris"}
    page = browser.send(page_of(browser, "/settings"), "report", day="9", **plan)
    assert "Day: must be 1 to 7 for a weekly report" in page.words
    page = browser.send(page_of(browser, "/settings"), "report", day="1", **plan)
    assert "The next one comes 2026-03-16 08:00:00 Europe/Paris." in page.words
    assert api.get("/api/orgs/mine").json["report"]["next_at"] == "2026-03-16T07:00:00Z"
    page = browser.send(page_of(browser, "/settings"), "delete", confirmation="other")
    assert "must repeat the slug" in page.words
    page = browser.send(page_of(browser, "/settings"), "delete", confirmation="mine")
    assert "The organization is being deleted." in page.words
    assert api.get("/api/orgs/mine").status == 401


def test_keys_are_made_shown_once_and_revoked_with_their_sessions(api: Api, browser: Browser) -> None:
    page = browser.send(page_of(browser, "/keys"), "create", name="ci", scope="full")
    [text] = set(re.findall(r"ch_[A-Za-z0-9]{40}", page.text))
    assert text not in page_of(browser, "/keys").text
    other = Browser(api)
    other.sign_in(text)
    key_id = next(
        one["id"] for one in api.get("/api/orgs/mon-org/api-keys").json["api_keys"] if one["name"] == "ci"
    )
    browser.send(page_of(browser, "/keys"), "revoke", id=key_id)

    assert "Sign in" in other.get("/keys").words
    assert api.get("/api/crons", key=text).status == 401
    listed = api.get("/api/sessions").json["sessions"]
    page = browser.send(page_of(browser, "/keys"), "end", id=listed[0]["id"])
    assert "You are signed out." in page.words


def test_members_are_invited_changed_and_removed(api: Api, browser: Browser) -> None:
    page = browser.send(page_of(browser, "/members"), "invite", email="nonsense", role="viewer")
    assert "E-mail address: must be an e-mail address" in page.words
    page = browser.send(page_of(browser, "/members"), "invite", email="dev@example.com", role="viewer")
    [link] = set(re.findall(r"http://localhost:4000/invites/accept#inv_[\w-]+", page.text))
    accepted = api.post("/api/invites/accept", {"token": link.partition("#")[2]}, key=None).json["member"]["id"]
    browser.send(page_of(browser, "/members"), "role", role="admin")
    assert api.get("/api/orgs/mon-org/members").json["members"][0]["role"] == "admin"
    browser.send(page_of(browser, "/members"), "remove", id=accepted)
    assert api.get("/api/orgs/mon-org/members").json["members"] == []
    browser.send(page_of(browser, "/members"), "invite", email="ops@example.com", role="member")
    assert "Revoked." in browser.send(page_of(browser, "/members"), "revoke").words


def test_nothing_of_another_org_is_shown(api: Api, clock: Clock, browser: Browser) -> None:
    ids = filled(api, clock)
    other = Browser(api)
    other.sign_in(api.new_org("other"))
    for path in read_pages(ids):
        if any(one in path for one in ids.values()) and path.split("?")[0] not in (
            "/crons/rows",
            "/crons/changes",
        ):
            page = other.get(path)
            assert page.status == 404, path
            assert "There is nothing here" in page.words
    assert "data-row" not in other.get(f"/crons/rows?ids={ids['cron_id']}").text


def test_the_link_of_an_alert_names_the_cron_and_leads_to_it(api: Api, browser: Browser) -> None:
    [cron_id] = api.register({"name": "näch/tlich", "schedule": None})

    page = page_of(browser, "/crons?product=shop&service=nightly&name=n%C3%A4ch%2Ftlich")

    assert page.path == f"/crons/{cron_id}"
    assert browser.get("/crons?product=shop&service=nightly&name=other").status == 404
    assert page_of(browser, "/crons").path == "/"
