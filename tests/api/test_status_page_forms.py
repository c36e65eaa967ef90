"""Status pages as admins compose them in a browser."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.browser import Browser, Page
from tests.api.client import Api
from tests.api.test_sessions import join

SHOWN = {"show_uptime": "1", "show_incidents": "1", "show_maintenance": "1"}
FILLED = {"title": "Acme jobs", "description": "", "address": "slug", **SHOWN}


def crons_of(api: Api, *names: str) -> list[str]:
    return api.register(*({"name": name, "schedule": None} for name in names))


def stored(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api.get("/api/status-pages").json["status_pages"]
    return listed


def new_page(api: Api, *cron_ids: str, **body: Any) -> str:
    crons = [{"cron_id": one} for one in cron_ids]
    made: str = api.post("/api/status-pages", {"title": "Acme jobs", "crons": crons, **body}).json["id"]
    return made


def rows_in(page: Page) -> list[str]:
    return re.findall(r'name="cron" value="([^"]+)"', page.text)


def value_of(page: Page, name: str) -> str:
    [found] = re.findall(rf'name="{re.escape(name)}"[^>]*? value="([^"]*)"', page.text)
    return str(found)


def send(browser: Browser, page: Page, button: str = "save", **fields: Any) -> Page:
    """With its rows, as a browser sends them. Fields in names of rows have `_` for `-`."""
    names = {re.sub(r"^(name|group|place|remove|cron)_", r"\1-", name): text for name, text in fields.items()}
    return browser.send(page, button, cron=rows_in(page), **{**FILLED, **names})


def test_a_page_is_composed_opened_and_deleted(api: Api, browser: Browser) -> None:
    first, second = crons_of(api, "invoices-v2", "stock-v2")
    assert "There is no status page." in browser.get("/status-pages").words
    page = browser.get("/status-pages/new")
    assert rows_in(page) == []

    page = send(browser, page, "add", title="My jobs", pick=[second, first])

    # It is still only a form, which keeps what was typed.
    assert stored(api) == []
    assert value_of(page, "title") == "My jobs"
    assert rows_in(page) == [second, first]
    page = send(browser, page, title="My jobs", **{f"name_{first}": "Invoices", f"group_{first}": "Shop"})
    assert "Created." in page.words
    [made] = stored(api)
    assert (made["title"], made["address"], made["show_uptime"]) == ("My jobs", "slug", True)
    assert made["crons"] == [
        {"cron_id": second, "name": None, "group": None},
        {"cron_id": first, "name": "Invoices", "group": "Shop"},
    ]
    for link in ("url", "feed_url"):
        assert urlsplit(made[link]).path.lstrip("/") in page.text
        assert "Invoices" in api.get(urlsplit(made["url"]).path, key=None).text
    listed = browser.get("/status-pages")
    assert "My jobs 2 crons http://localhost:4000/status/mon-org Atom feed" in listed.words
    assert "Deleted." in browser.send(page, "delete").words
    assert stored(api) == []


def test_the_pages_are_linked_from_the_settings_and_the_menu(api: Api, browser: Browser) -> None:
    assert browser.get("/settings").text.count('status-pages"') == 2
    assert browser.get("/").text.count('status-pages"') == 1


def test_picks_are_saved_without_being_added_first(api: Api, browser: Browser) -> None:
    [first] = crons_of(api, "a")

    send(browser, browser.get("/status-pages/new"), pick=[first])

    assert [one["cron_id"] for one in stored(api)[0]["crons"]] == [first]


def test_a_page_is_changed(api: Api, browser: Browser) -> None:
    first, second, third = crons_of(api, "a", "b", "c")
    page_id = new_page(api, first, second)

    page = send(
        browser,
        browser.get(f"/status-pages/{page_id}"),
        description="Ours",
        address="secret",
        show_uptime="",
        pick=[third],
        **{f"remove_{first}": "1", f"name_{second}": "Second"},
    )

    assert "Saved." in page.words
    [held] = stored(api)
    assert (held["description"], held["address"], held["show_uptime"]) == ("Ours", "secret", False)
    assert [(one["cron_id"], one["name"]) for one in held["crons"]] == [(second, "Second"), (third, None)]
    assert value_of(page, f"name-{second}") == "Second"
    assert "c" not in re.findall(r'name="pick"[^>]*> (\w)', page.text)


@pytest.mark.parametrize(
    ("places", "order"),
    [((1, 2, 3), "abc"), ((1, 2, 1), "cab"), ((3, 2, 3), "bca"), ((2, 1, 3), "bac"), (("", "", -1), "cab")],
)
def test_places_make_the_order(api: Api, browser: Browser, places: tuple[object, ...], order: str) -> None:
    *ids, _ = crons_of(api, "a", "b", "c", "of no page")
    names = dict(zip(ids, "abc", strict=True))
    page = browser.get(f"/status-pages/{new_page(api, *names)}")
    typed: dict[str, Any] = {f"place_{one}": place for one, place in zip(names, places, strict=True)}

    added = send(browser, page, "add", **typed)
    send(browser, page, **typed)

    assert "".join(names[one] for one in rows_in(added)) == order
    assert [value_of(added, f"place-{one}") for one in rows_in(added)] == ["1", "2", "3"]
    assert "".join(names[one["cron_id"]] for one in stored(api)[0]["crons"]) == order


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("title", "", "Title: must be 1 to 128 characters"),
        ("title", "x" * 129, "Title: must be 1 to 128 characters"),
        ("description", "x" * 1001, "Description: must be at most 1000 characters"),
        ("address", "elsewhere", "Address: must be one of slug, secret"),
        ("name_{}", "x" * 129, "Name shown: must be 1 to 128 characters"),
        ("group_{}", "x" * 129, "Heading: must be 1 to 128 characters"),
        ("place_{}", "first", "Place: must be a whole number"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "changed"])
def test_a_wrong_field_is_named_and_what_was_typed_is_kept(
    api: Api, browser: Browser, field: str, typed: str, said: str, is_new: bool
) -> None:
    first, second, third = crons_of(api, "a", "b", "c")
    page_id = new_page(api, second, title="As it was")
    before = stored(api)
    page = browser.get("/status-pages/new" if is_new else f"/status-pages/{page_id}")
    kept = {"title": "Kept", "description": "Kept too", "show_uptime": "", f"group_{third}": "Kept as well"}
    name = field.format(second)

    fields: dict[str, Any] = {**kept, "pick": [first, second, third], name: typed}
    page = send(browser, page, **fields)

    assert page.status == 422
    assert said in page.words
    assert stored(api) == before
    assert rows_in(page) == ([first, second, third] if is_new else [second, first, third])
    if name != "title":
        assert value_of(page, "title") == "Kept"
    assert value_of(page, f"group-{third}") == "Kept as well"
    assert 'name="show_uptime" value="1">' in page.text
    assert 'name="show_incidents" value="1" checked>' in page.text
    if field not in ("address", "description"):
        assert f'value="{typed}"' in page.text


def test_what_is_no_cron_of_the_org_is_named_in_its_row(api: Api, browser: Browser) -> None:
    mine, gone = crons_of(api, "a", "b")
    own = api.key
    api.key = api.new_org("other")
    foreign = api.new_cron(None)
    api.key = own
    page = browser.get(f"/status-pages/{new_page(api, mine, gone)}")
    api.delete(f"/api/crons/{gone}")

    for pick in ([], [foreign], ["nonsense"]):
        page = send(browser, page, pick=pick)
        assert page.status == 422
        assert page.words.count("Cron: is not a cron of this organization") == len(rows_in(page)) - 1
    assert len(rows_in(page)) == 4
    removed = {f"remove_{one}": "1" for one in (gone, foreign, "nonsense")}
    assert "Saved." in send(browser, page, **removed).words


def test_a_deleted_cron_leaves_the_form_and_an_archived_one_stays(api: Api, browser: Browser) -> None:
    first, gone, archived = crons_of(api, "a", "gone", "archived")
    page_id = new_page(api, first, gone, archived)
    api.delete(f"/api/crons/{gone}")
    register = {"product": "shop", "service": "nightly", "prune": True}
    assert api.post("/api/crons/register", {**register, "crons": [{"name": "a", "schedule": None}]}).status == 200

    page = browser.get(f"/status-pages/{page_id}")

    assert rows_in(page) == [first, archived]
    assert "Saved." in send(browser, page).words
    assert [one["cron_id"] for one in stored(api)[0]["crons"]] == [first, archived]


def test_more_than_a_hundred_crons_are_refused_and_kept(api: Api, browser: Browser) -> None:
    ids = crons_of(api, *(f"job {number}" for number in range(101)))

    page = send(browser, browser.get("/status-pages/new"), pick=ids)

    assert page.status == 422
    assert "Crons: must have at most 100 items" in page.words
    assert len(rows_in(page)) == 101
    assert stored(api) == []


def test_a_second_page_is_offered_a_secret_address(api: Api, browser: Browser) -> None:
    assert 'value="slug" checked' in browser.get("/status-pages/new").text
    new_page(api)
    page = browser.get("/status-pages/new")
    assert 'value="secret" checked' in page.text

    french = browser.get("/status-pages/new?lang=fr")
    page = send(browser, page, title="Another")

    assert page.status == 409
    assert "Another status page is at the organization's slug; give this one a secret address." in page.words
    assert value_of(page, "title") == "Another"
    assert "Nouvelle page d’état" in french.words
    assert len(stored(api)) == 1


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_only_admins_are_offered_to_compose(api: Api, role: str) -> None:
    shown, hidden = crons_of(api, "invoices-v2", "stock-v2")
    page_id = new_page(api, shown, description="Ours")
    _, key = join(api, "dev@example.com", role)
    browser = Browser(api)
    browser.sign_in(key)
    is_admin = role == "admin"

    listed, page = browser.get("/status-pages"), browser.get(f"/status-pages/{page_id}")

    assert "Acme jobs 1 cron http://localhost:4000/status/mon-org" in listed.words
    assert ("New status page" in listed.words) is is_admin
    assert "invoices-v2" in page.words
    for button in ("save", "add", "delete"):
        assert page.offers(button) is is_admin
    assert browser.get("/status-pages/new").status == (200 if is_admin else 403)
    token = listed.form(action="signout")["fields"]["form_token"]
    sent = {**FILLED, "form_token": token, "cron": [hidden]}
    tries = [
        ("/status-pages", "save"),
        (f"/status-pages/{page_id}", "save"),
        (f"/status-pages/{page_id}", "delete"),
    ]
    before = stored(api)
    for path, button in tries:
        answer = browser.post(path, {**sent, "do": button, "address": "secret"})
        assert (answer.status == 303) if is_admin else (answer.status == 403), path
    assert (stored(api) == before) is not is_admin


def test_a_page_of_another_org_is_not_there(api: Api, browser: Browser) -> None:
    page_id = new_page(api)
    mine = api.key
    other = Browser(api)
    other.sign_in(api.new_org("other"))
    token = other.get("/").form(action="signout")["fields"]["form_token"]

    for button in ("save", "add", "delete", "nothing"):
        assert other.post(f"/status-pages/{page_id}", {**FILLED, "do": button, "form_token": token}).status == 404
    assert other.get(f"/status-pages/{page_id}").status == 404
    api.key = mine
    assert [one["id"] for one in stored(api)] == [page_id]
