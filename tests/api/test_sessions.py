"""Browsers that are signed in: exchanged for a key, and over when that key is."""

import pytest

from chalicelib.domain.accounts.session import IDLE, LONGEST, form_token, is_form_token
from chalicelib.domain.errors import Invalid
from chalicelib.services import sessions
from chalicelib.store.tables import SessionItem
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


def sign_in(api: Api, clock: Clock, key: str | None = None, browser: str = "Firefox") -> str:
    return sessions.sign_in(key or api.key or "", browser, clock.now).cookie


def join(api: Api, email: str, role: str) -> tuple[str, str]:
    """Invites and accepts; returns the member's id and key."""
    link = api.post("/api/orgs/mon-org/invite", {"email": email, "role": role}).json["link"]
    accepted = api.post("/api/invites/accept", {"token": link.partition("#")[2]}, key=None).json
    return accepted["member"]["id"], accepted["key"]


def test_a_key_is_exchanged_for_a_cookie_that_leads_back_to_it(api: Api, clock: Clock) -> None:
    cookie = sign_in(api, clock)

    found = sessions.of_cookie(cookie, clock.now)

    assert found is not None
    assert found.key.name == "first"
    assert found.session.browser == "Firefox"


def test_neither_cookie_nor_key_is_stored(api: Api, clock: Clock) -> None:
    cookie = sign_in(api, clock)

    [stored] = [str(item.attribute_values) for item in SessionItem.scan()]

    assert cookie[38:] not in stored
    assert api.key is not None
    assert api.key not in stored


@pytest.mark.parametrize("change", ["{0:.38}", "{0:.80}", "", "{0}~", "x{0}", "{0}{0}{0}"])
def test_a_cookie_that_is_not_as_it_was_given_is_none(api: Api, clock: Clock, change: str) -> None:
    assert sessions.of_cookie(change.format(sign_in(api, clock)), clock.now) is None


@pytest.mark.parametrize("key", ["", "ch_", "ch_" + "0" * 40, "nonsense"])
def test_an_unknown_key_names_the_field(api: Api, clock: Clock, key: str) -> None:
    with pytest.raises(Invalid) as raised:
        sessions.sign_in(key, "", clock.now)

    assert raised.value.errors[0].field == "key"


def test_a_key_that_may_not_read_signs_nobody_in(api: Api, clock: Clock) -> None:
    with pytest.raises(Invalid, match="only send signals"):
        sign_in(api, clock, api.new_key("ingest"))


def test_a_revoked_key_ends_its_sessions_at_once(api: Api, clock: Clock) -> None:
    made = api.post("/api/orgs/mon-org/api-keys", {"name": "laptop"}).json
    cookie = sign_in(api, clock, made["key"])

    api.delete(f"/api/orgs/mon-org/api-keys/{made['id']}")

    assert sessions.of_cookie(cookie, clock.now) is None
    assert api.get("/api/sessions").json["sessions"] == []


def test_a_removed_member_is_signed_out_at_once(api: Api, clock: Clock) -> None:
    member, key = join(api, "dev@example.com", "member")
    cookie = sign_in(api, clock, key)
    assert sessions.of_cookie(cookie, clock.now) is not None

    api.delete(f"/api/orgs/mon-org/members/{member}")

    assert sessions.of_cookie(cookie, clock.now) is None


def test_a_changed_role_counts_in_the_next_request(api: Api, clock: Clock) -> None:
    member, key = join(api, "dev@example.com", "viewer")
    cookie = sign_in(api, clock, key)

    api.patch(f"/api/orgs/mon-org/members/{member}", {"role": "admin"})

    found = sessions.of_cookie(cookie, clock.now)
    assert found is not None
    assert found.key.role == "admin"


def test_a_session_lasts_while_it_is_used_and_ends_unused(api: Api, clock: Clock) -> None:
    cookie = sign_in(api, clock)
    for _ in range(4):
        clock.now += IDLE / 2
        assert sessions.of_cookie(cookie, clock.now) is not None

    clock.now += IDLE

    assert sessions.of_cookie(cookie, clock.now) is None
    assert api.get("/api/sessions").json["sessions"] == []


def test_no_session_lasts_longer_than_a_year(api: Api, clock: Clock) -> None:
    cookie, began = sign_in(api, clock), clock.now
    while clock.now + IDLE / 2 < began + LONGEST:
        clock.now += IDLE / 2
        assert sessions.of_cookie(cookie, clock.now) is not None

    clock.now = began + LONGEST

    assert sessions.of_cookie(cookie, clock.now) is None


def test_a_page_costs_two_reads_and_notes_a_use_once_an_hour(api: Api, clock: Clock, calls: Calls) -> None:
    cookie = sign_in(api, clock)
    sessions.of_cookie(cookie, clock.now)
    calls.clear()

    sessions.of_cookie(cookie, clock.now)
    now = list(calls.names)
    calls.clear()
    clock.pass_by(hours=1)
    sessions.of_cookie(cookie, clock.now)

    assert now == ["GetItem", "GetItem"]
    assert calls.names == ["GetItem", "GetItem", "UpdateItem", "UpdateItem"]


def test_sessions_are_listed_and_ended(api: Api, clock: Clock) -> None:
    cookie, other = sign_in(api, clock, browser="Safari"), sign_in(api, clock)
    listed = api.get("/api/sessions").json["sessions"]
    assert {one["browser"] for one in listed} == {"Safari", "Firefox"}
    assert not any(part in str(listed) for part in (cookie, cookie[38:]))
    [ended] = [one["id"] for one in listed if one["browser"] == "Safari"]

    assert api.delete(f"/api/sessions/{ended}").status == 204

    assert sessions.of_cookie(cookie, clock.now) is None
    assert sessions.of_cookie(other, clock.now) is not None
    assert api.delete(f"/api/sessions/{ended}").status == 404


def test_the_list_has_pages(api: Api, clock: Clock) -> None:
    for number in range(3):
        sign_in(api, clock, browser=str(number))
        clock.pass_by(seconds=1)

    first = api.get("/api/sessions", limit=2).json
    second = api.get("/api/sessions", limit=2, cursor=first["next_cursor"]).json

    assert [one["browser"] for one in first["sessions"] + second["sessions"]] == ["0", "1", "2"]
    assert second["next_cursor"] is None


def test_a_member_sees_and_ends_only_their_own(api: Api, clock: Clock) -> None:
    sign_in(api, clock)
    _, key = join(api, "dev@example.com", "member")
    own = sign_in(api, clock, key, "own")

    [listed] = api.get("/api/sessions", key=key).json["sessions"]
    [others] = [one["id"] for one in api.get("/api/sessions").json["sessions"] if one["browser"] != "own"]

    assert listed["browser"] == "own"
    assert api.delete(f"/api/sessions/{others}", key=key).status == 404
    assert api.delete(f"/api/sessions/{listed['id']}", key=key).status == 204
    assert sessions.of_cookie(own, clock.now) is None


def test_another_orgs_sessions_are_unknown(api: Api, clock: Clock) -> None:
    sign_in(api, clock)
    [listed] = api.get("/api/sessions").json["sessions"]
    other = api.new_org("other")

    assert api.get("/api/sessions", key=other).json["sessions"] == []
    assert api.delete(f"/api/sessions/{listed['id']}", key=other).status == 404


def test_a_form_token_belongs_to_one_session(api: Api, clock: Clock) -> None:
    one, other = sign_in(api, clock), sign_in(api, clock)

    assert is_form_token(one, form_token(one))
    assert not is_form_token(one, form_token(other))
    assert not is_form_token(one, "")
    assert not is_form_token(one, "é")


def test_an_invitation_says_what_it_is_before_it_is_accepted(api: Api) -> None:
    link = api.post("/api/orgs/mon-org/invite", {"email": "dev@example.com", "role": "viewer"}).json["link"]
    token = link.partition("#")[2]

    seen = api.post("/api/invites/look", {"token": token}, key=None).json

    assert {**seen, "expires_at": None} == {
        "org_name": "Mon-Org",
        "org_slug": "mon-org",
        "role": "viewer",
        "email": "dev@example.com",
        "invited_by": "first",
        "expires_at": None,
    }
    assert api.get("/api/orgs/mon-org/members").json["members"] == []
    api.post("/api/invites/accept", {"token": token}, key=None)
    assert api.post("/api/invites/look", {"token": token}, key=None).status == 410
    assert api.post("/api/invites/look", {"token": token[:-1]}, key=None).status == 404
