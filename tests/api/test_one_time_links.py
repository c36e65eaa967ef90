"""One-time links: another device signs in without a key, once, within ten minutes, and with no more rights."""

import re
from datetime import timedelta

import pytest

from chalicelib.domain.accounts.one_time_link import VALID
from chalicelib.domain.errors import Gone
from chalicelib.services import one_time_links, sessions
from chalicelib.store.tables import SessionItem
from tests.api.browser import Browser, Page
from tests.api.client import Api, Clock
from tests.api.conftest import Calls
from tests.api.test_french_pages import english_in
from tests.api.test_sessions import join

OVER = "This link is invalid, was used or has expired."


@pytest.fixture
def desk(api: Api) -> Browser:
    browser = Browser(api)
    browser.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"
    browser.sign_in(api.key)
    return browser


@pytest.fixture
def phone(api: Api) -> Browser:
    browser = Browser(api)
    browser.headers["User-Agent"] = "Mozilla/5.0 (iPhone) Safari/604.1"
    return browser


def link_of(browser: Browser) -> str:
    page = browser.send(browser.get("/keys"), "link")
    assert page.answer.headers["Cache-Control"] == "no-store"
    [link] = set(re.findall(r"http://localhost:4000/signin/once#once_[\w-]+", page.text))
    return str(link)


def opened(browser: Browser, link: str, query: str = "") -> Page:
    """What the page's script does with the part after the #."""
    return browser.send(browser.get(f"/signin/once{query}"), action="signin/once", token=link.partition("#")[2])


def used(browser: Browser, link: str) -> Page:
    token = link.partition("#")[2]
    answer = browser.post("/signin/once", {"do": "sign_in", "token": token})
    return browser._follow("/signin/once", answer)


def test_a_link_says_whom_it_signs_in_and_then_does(api: Api, desk: Browser, phone: Browser) -> None:
    page = opened(phone, link_of(desk), "?next=incidents%3Fstatus%3Dall")

    for said in ("Sign in to Mon-Org", "mon-org", "You sign in as first", "Firefox on Linux", "12:10 UTC"):
        assert said in page.words
    assert phone.cookie == ""
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert page.answer.headers["Referrer-Policy"] == "same-origin"
    page = phone.send(page, "sign_in")
    assert page.path == "/incidents?status=all"
    assert page.status == 200
    assert {one["browser"] for one in api.get("/api/sessions").json["sessions"]} == {
        "Firefox on Linux",
        "Safari on iPhone",
    }


def test_the_new_session_lives_by_itself(desk: Browser, phone: Browser) -> None:
    used(phone, link_of(desk))

    desk.send(desk.get("/"), action="signout")

    assert "Keys and sessions" in phone.get("/keys").words
    assert phone.cookie != desk.cookie


def test_a_pasted_link_goes_on_to_the_page_that_was_asked_for(desk: Browser, phone: Browser) -> None:
    asked = phone.get("/channels?add=slack")
    [path] = set(re.findall(r'href="(?:\.\./)*(?:\./)?(signin/once[^"]*)"', asked.text))

    page = phone.send(phone.get(f"/{path}"), action="signin/once", token=link_of(desk))

    assert phone.send(page, "sign_in").path == "/channels?add=slack"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "\\evil.example", "../../x"])
def test_a_link_never_leads_to_another_site(desk: Browser, phone: Browser, target: str) -> None:
    token = link_of(desk).partition("#")[2]

    answer = phone.post("/signin/once", {"do": "sign_in", "token": token, "next": target})

    assert phone.target("/signin/once", answer) == "/"


def test_opening_a_link_uses_nothing_up(desk: Browser, phone: Browser) -> None:
    link = link_of(desk)

    for _ in range(3):
        assert phone.get("/signin/once").status == 200
        assert opened(phone, link).status == 200

    assert phone.cookie == ""
    assert used(phone, link).path == "/"
    assert phone.cookie


def test_a_link_works_once(api: Api, desk: Browser, phone: Browser) -> None:
    link = link_of(desk)
    used(phone, link)
    other = Browser(api)

    for page in (used(other, link), opened(other, link)):
        assert page.status == 410
        assert OVER in page.words
        assert other.cookie == ""
    assert len(api.get("/api/sessions").json["sessions"]) == 2


def test_of_two_who_use_a_link_at_once_one_gets_in(
    api: Api, clock: Clock, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = link_of(desk).partition("#")[2]
    seen = one_time_links.look(token, clock.now)
    one_time_links.use(token, "first", clock.now)
    real = one_time_links.look
    answers = iter([seen])
    monkeypatch.setattr(one_time_links, "look", lambda *given: next(answers, None) or real(*given))

    with pytest.raises(Gone):
        one_time_links.use(token, "second", clock.now)

    assert "second" not in {one["browser"] for one in api.get("/api/sessions").json["sessions"]}


def test_a_maker_who_is_signed_out_at_that_moment_lets_nobody_in(
    api: Api, clock: Clock, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = link_of(desk).partition("#")[2]
    seen = one_time_links.look(token, clock.now)
    sessions.sign_out(seen.maker.session)
    real = one_time_links.look
    answers = iter([seen])
    monkeypatch.setattr(one_time_links, "look", lambda *given: next(answers, None) or real(*given))

    with pytest.raises(Gone):
        one_time_links.use(token, "late", clock.now)

    assert api.get("/api/sessions").json["sessions"] == []


def test_a_link_is_over_after_ten_minutes(clock: Clock, desk: Browser, phone: Browser) -> None:
    link = link_of(desk)

    clock.now += VALID - timedelta(seconds=1)
    assert opened(phone, link).status == 200
    clock.pass_by(seconds=1)

    assert opened(phone, link).status == 410
    assert used(phone, link).status == 410
    assert phone.cookie == ""


def test_a_second_link_ends_the_first(desk: Browser, phone: Browser) -> None:
    first, second = link_of(desk), link_of(desk)

    assert used(phone, first).status == 410
    assert used(phone, second).status == 200


def test_a_link_ends_with_the_session_that_made_it(desk: Browser, phone: Browser) -> None:
    link = link_of(desk)
    desk.send(desk.get("/"), action="signout")

    assert opened(phone, link).status == 410
    assert used(phone, link).status == 410
    assert phone.cookie == ""


def test_a_link_ends_with_the_key_of_its_session(api: Api, phone: Browser) -> None:
    made = api.post("/api/orgs/mon-org/api-keys", {"name": "laptop"}).json
    desk = Browser(api)
    desk.sign_in(made["key"])
    link = link_of(desk)

    api.delete(f"/api/orgs/mon-org/api-keys/{made['id']}")

    assert opened(phone, link).status == 410
    assert used(phone, link).status == 410


def test_a_revoked_key_ends_the_session_that_a_link_made(api: Api, phone: Browser) -> None:
    made = api.post("/api/orgs/mon-org/api-keys", {"name": "laptop"}).json
    desk = Browser(api)
    desk.sign_in(made["key"])
    used(phone, link_of(desk))

    api.delete(f"/api/orgs/mon-org/api-keys/{made['id']}")

    assert "Sign in" in phone.get("/keys").words
    assert phone.get("/keys").path.startswith("/signin")


def test_a_link_gives_no_more_rights_than_its_maker_has(api: Api, phone: Browser) -> None:
    member, key = join(api, "dev@example.com", "member")
    desk = Browser(api)
    desk.sign_in(key)
    link = link_of(desk)
    api.patch(f"/api/orgs/mon-org/members/{member}", {"role": "viewer"})

    assert "viewer" in opened(phone, link).words
    used(phone, link)

    assert "Role: viewer" in phone.get("/").words
    assert not phone.get("/keys").offers("create")


def test_a_link_of_one_org_leads_to_no_other(api: Api, desk: Browser, phone: Browser) -> None:
    token = link_of(desk).partition("#")[2]
    other = Browser(api)
    other.sign_in(api.new_org("other"))
    others = link_of(other).partition("#")[2]

    # The place of one link with the secret of the other.
    assert opened(phone, f"#{others[:43]}{token[43:]}").status == 410
    assert "Sign in to Other" in opened(phone, f"#{others}").words
    assert "Sign in to Mon-Org" in opened(phone, f"#{token}").words


@pytest.mark.parametrize("change", ["{0:.43}", "{0:.60}", "{0}~", "x{0}", "", "once_", "{0}{0}{0}", "once_é"])
def test_a_token_that_is_not_as_it_was_given_opens_nothing(desk: Browser, phone: Browser, change: str) -> None:
    token = link_of(desk).partition("#")[2]

    page = used(phone, "#" + change.format(token))

    assert page.status == 410
    assert OVER in page.words
    assert used(phone, f"#{token}").status == 200


def test_a_cookie_is_no_token_and_a_token_no_cookie(clock: Clock, desk: Browser, phone: Browser) -> None:
    token, cookie = link_of(desk).partition("#")[2], desk.cookie.partition("=")[2]

    assert used(phone, f"#once_{cookie}").status == 410
    for text in (token, token.removeprefix("once_")):
        assert sessions.of_cookie(text, clock.now) is None


def test_a_link_is_listed_nowhere_and_only_its_hash_is_kept(api: Api, desk: Browser) -> None:
    token = link_of(desk).partition("#")[2]
    stored = [str(item.attribute_values) for item in SessionItem.scan()]

    assert len(stored) == 2
    assert not any(token[43:] in text for text in stored)
    assert token not in desk.get("/keys").text
    [listed] = api.get("/api/sessions").json["sessions"]
    assert listed["browser"] == "Firefox on Linux"
    assert api.delete(f"/api/sessions/once%23{listed['id']}").status == 404


def test_an_unused_link_leaves_the_table_by_itself(clock: Clock, desk: Browser) -> None:
    link_of(desk)

    [expires] = [item.expires_at for item in SessionItem.scan() if item.session_id.startswith("once#")]

    assert expires == clock.now + VALID


def test_a_used_link_leaves_nothing(desk: Browser, phone: Browser) -> None:
    used(phone, link_of(desk))

    assert not [item for item in SessionItem.scan() if item.session_id.startswith("once#")]


def test_a_form_of_another_site_uses_nothing_up(desk: Browser, phone: Browser) -> None:
    link = link_of(desk)
    for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = phone.post("/signin/once", {"do": "sign_in", "token": link.partition("#")[2]}, **origin)
        assert answer.status == 403

    assert used(phone, link).status == 200


def test_a_link_is_made_only_from_our_own_page(api: Api, desk: Browser) -> None:
    for token in ("", "guessed"):
        assert desk.post("/keys", {"do": "link", "form_token": token}).status == 403

    assert len(list(SessionItem.scan())) == 1


def test_tries_are_throttled_as_sign_ins_are(
    phone: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    found = [phone.post("/signin/once", {"token": "once_guess"}).status for _ in range(121)]

    assert found[:110] == [410] * 110
    assert found[-1] == 429
    assert phone.post("/signin", {"key": "guess"}).status == 429


def test_it_costs_few_calls(clock: Clock, desk: Browser, calls: Calls) -> None:
    token = link_of(desk).partition("#")[2]
    calls.clear()

    one_time_links.use(token, "phone", clock.now)

    assert calls.names == ["GetItem"] * 4 + ["TransactWriteItems"]


def test_no_page_of_it_holds_english_in_french(desk: Browser, phone: Browser) -> None:
    for browser in (desk, phone):
        browser.headers["Accept-Language"] = "fr"
    link = link_of(desk)
    pages = [phone.get("/signin"), phone.get("/signin/once"), opened(phone, link), used(phone, "#once_x")]
    made = desk.send(desk.get("/keys"), "link")

    assert "lien" in made.words
    for page in [made, *pages]:
        assert '<html lang="fr"' in page.text
        assert english_in(page.text, ("first", "Mon-Org", "Firefox on Linux")) == []
