"""The pages in a real browser, over the real service."""

import json
import re
import time
import urllib.request
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Installed by `make test-web` alone.
expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.web

_numbers = count()


def ask(url: str, body: Any = None, key: str | None = None, method: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def new_org(address: str) -> tuple[str, str]:
    """Returns a slug and a key."""
    slug = f"org-{next(_numbers)}-{int(time.time())}"
    ask(f"{address}/api/orgs", {"name": slug.title(), "slug": slug})
    return slug, ask(f"{address}/api/orgs/{slug}/api-keys", {"name": "first"})["key"]


def register(address: str, key: str, *crons: dict[str, Any], **names: str) -> list[Any]:
    body = {"product": "shop", "service": "nightly", "crons": list(crons), **names}
    return list(ask(f"{address}/api/crons/register", body, key)["crons"])


def sign_in(page: "Page", address: str, key: str) -> None:
    page.goto(f"{address}/signin")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Crons", exact=True)).to_be_visible()


def test_first_visit_to_first_cron_failure_acknowledgement_and_recovery(
    page: "Page", context: "BrowserContext", address: str
) -> None:
    page.goto(address)
    page.get_by_label("Name", exact=True).fill(f"Acmé {time.time_ns()}")
    assert re.fullmatch(r"acme-\d+", page.get_by_label("Short name").input_value())
    page.get_by_role("button", name="Create").click()
    assert re.fullmatch(r"ch_\w{40}", page.locator("#new-key").inner_text())
    assert page.get_by_label("Time zone").input_value() == "Europe/Paris"
    page.get_by_role("button", name="Create the cron").click()
    box = page.locator("#live-box")
    expect(box).to_contain_text("Waiting for the first signal")
    listed = context.new_page()
    listed.goto(address)
    expect(listed.locator(".cron .badge")).to_have_text("new")
    line = page.locator("#first-curl").inner_text()
    assert line.startswith("curl -fsS -m 10 --retry 5 http")
    ping = line.split()[-1]
    ask(ping)
    expect(box).to_contain_text("It arrived")
    expect(box).to_have_class(re.compile("arrived"))

    ask(ping.replace("/ping/", "/fail/"))

    # No reload: the list refreshes by itself, and the tab says it.
    expect(listed.locator(".cron .badge")).to_have_text("down", timeout=40_000)
    expect(listed).to_have_title(re.compile(r"^\(1\) Crons"))
    assert "favicon-down" in (listed.locator("link[rel=icon]").get_attribute("href") or "")
    listed.get_by_role("link", name="backup").click()
    expect(listed.locator("#diagnosis")).to_contain_text("Its last run failed.")
    listed.get_by_label("Note").fill("on it")
    listed.get_by_role("button", name="Acknowledge").click()
    expect(listed.get_by_role("status").first).to_contain_text("Acknowledged")
    time.sleep(1)
    ask(ping + "?duration_ms=1200")
    expect(listed.locator("#diagnosis")).to_contain_text("All is well.", timeout=40_000)


def test_what_is_typed_and_opened_survives_the_refresh(page: "Page", address: str) -> None:
    _, key = new_org(address)
    [cron] = register(address, key, {"name": "job", "schedule": None})
    sign_in(page, address, key)
    page.goto(f"{address}/crons/{cron['id']}")
    page.locator("#s-python > summary").click()
    page.locator("#depend").fill("half typed")
    page.evaluate(
        "document.getElementById('main').dataset.live = '1'; document.dispatchEvent(new Event('visibilitychange'))"
    )
    ask(cron["ping_url"] + "?duration_ms=5")

    expect(page.locator("h1 .badge")).to_have_text("up", timeout=40_000)

    assert page.locator("#depend").input_value() == "half typed"
    expect(page.locator("#s-python")).to_have_attribute("open", "")


def test_a_script_as_a_name_stays_text(page: "Page", address: str) -> None:
    script = "<script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">"
    _, key = new_org(address)
    project = ask(f"{address}/api/projects", {"name": script}, key)["id"]
    names = {"product": script[:120], "service": script[:120]}
    [cron] = register(address, key, {"name": script[:120], "schedule": None, "project_id": project}, **names)
    ask(cron["ping_url"].replace("/ping/", "/fail/") + "?msg=" + quote(script))
    sign_in(page, address, key)
    for path in ("", f"crons/{cron['id']}", "incidents", "projects", f"crons/{cron['id']}/runs"):
        page.goto(f"{address}/{path}")
        expect(page.locator("body")).to_contain_text("<script>document.title")
        assert "broken" not in page.title().removeprefix("(1) ")[:6]
        assert page.locator("main script, main img").count() == 0


def test_sign_in_survives_a_closed_tab_and_ends_when_it_is_ended(
    page: "Page", context: "BrowserContext", address: str
) -> None:
    _, key = new_org(address)
    sign_in(page, address, key)
    page.close()
    again = context.new_page()
    again.goto(f"{address}/keys")
    expect(again.get_by_text("this browser")).to_be_visible()
    assert again.evaluate("document.cookie") == ""
    [session] = ask(f"{address}/api/sessions", None, key)["sessions"]

    ask(f"{address}/api/sessions/{session['id']}", None, key, "DELETE")

    again.goto(f"{address}/keys")
    expect(again.get_by_role("button", name="Sign in")).to_be_visible()
    assert again.url.endswith("/signin?next=keys")
    again.get_by_label("API key").fill(key)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", name="Keys and sessions")).to_be_visible()


def test_an_invitations_link_says_what_it_is_and_signs_in(page: "Page", address: str) -> None:
    slug, key = new_org(address)
    link = ask(f"{address}/api/orgs/{slug}/invite", {"email": "ann@example.com", "role": "viewer"}, key)["link"]

    page.goto(link)

    expect(page.get_by_role("heading", name=f"Join {slug.title()} on CronHub")).to_be_visible()
    assert "#" not in page.url
    page.get_by_role("button", name="Accept and sign in").click()
    expect(page.get_by_role("heading", name="Welcome, ann")).to_be_visible()
    page.goto(address)
    assert page.get_by_role("link", name="New cron").count() == 0


def test_a_one_time_link_signs_a_phone_in(page: "Page", address: str, chromium: "Browser") -> None:
    slug, key = new_org(address)
    sign_in(page, address, key)
    page.goto(f"{address}/keys")
    page.get_by_role("button", name="Sign in on another device").click()
    link = page.locator("#one-time-link").inner_text()
    phone = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))

    phone.goto(link)

    expect(phone.get_by_role("heading", name=f"Sign in to {slug.title()}")).to_be_visible()
    assert "#" not in phone.url
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("link", name="New cron").first).to_be_visible()
    assert not any("once_" in url.partition("#")[0] for url in asked)
    phone.context.close()


def test_filters_stand_in_the_address_and_need_no_reload(page: "Page", address: str) -> None:
    _, key = new_org(address)
    register(
        address, key, {"name": "alpha", "schedule": None, "tags": ["night"]}, {"name": "beta", "schedule": None}
    )
    sign_in(page, address, key)
    page.evaluate("window.same = true")
    page.keyboard.press("/")
    page.keyboard.type("bet")
    expect(page.locator(".cron")).to_have_count(1)
    assert page.url.endswith("/?search=bet")
    page.locator("#q").fill("")
    page.locator("#tag").select_option("night")
    expect(page.locator(".cron-name")).to_have_text("alpha")
    assert page.evaluate("window.same")
    page.reload()
    expect(page.locator(".cron-name")).to_have_text("alpha")


def test_all_of_it_goes_by_keyboard(page: "Page", address: str) -> None:
    _, key = new_org(address)
    register(address, key, *({"name": name, "schedule": None} for name in ("one", "three", "two")))
    sign_in(page, address, key)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    for pressed in "jjjk":
        page.keyboard.press(pressed)
    expect(page.locator("[data-row].current .cron-name")).to_have_text("three")
    page.keyboard.press("x")
    expect(page.locator(".bulk-count")).to_have_text("1 selected")
    page.locator("[data-row].current .cron-name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="three")).to_be_visible()


@pytest.mark.parametrize("width", [390, 768, 2000])
def test_no_page_scrolls_sideways(chromium: "Browser", address: str, width: int) -> None:
    _, key = new_org(address)
    [cron] = register(address, key, {"name": "a-very-long-name-" * 7, "schedule": "0 2 * * *", "tags": ["t" * 60]})
    ask(cron["ping_url"].replace("/ping/", "/fail/") + "?exit_code=3")
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    sign_in(page, address, key)
    ends = ("edit", "runs", "first")
    paths = [
        "",
        "incidents",
        "maintenance",
        "channels",
        "channels?add=slack",
        "members",
        "keys",
        "projects",
        "settings",
    ]
    for path in [*paths, "crons/new", f"crons/{cron['id']}", *(f"crons/{cron['id']}/{end}" for end in ends)]:
        for language in ("en", "fr"):
            page.goto(f"{address}/{path}{'&' if '?' in path else '?'}lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, language)
    context.close()


def test_a_thousand_crons_are_drawn_as_they_are_scrolled_to(page: "Page", address: str) -> None:
    _, key = new_org(address)
    register(address, key, *({"name": f"job {number:04}", "schedule": None} for number in range(1000)))
    sign_in(page, address, key)
    expect(page.locator("[data-row]")).to_have_count(100)
    drawn_ms = page.evaluate(
        "performance.getEntriesByType('navigation')[0].domComplete"
        " - performance.getEntriesByType('navigation')[0].responseEnd"
    )
    assert drawn_ms < 1000
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("[data-row]")).to_have_count(1000, timeout=60_000)
    expect(page.get_by_role("link", name="job 0999")).to_be_attached()
