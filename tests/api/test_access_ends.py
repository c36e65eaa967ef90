"""Access ends when it ends: for those who were removed, demoted or never had it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.services.throttle import network_of
from chalicelib.store import api_keys, members
from tests.api.client import Api, Clock
from tests.api.test_members import invited, joined, token_of
from tests.channels.mailbox import Mailbox, mailbox

KEYS = "/api/orgs/mon-org/api-keys"
INVITE = "/api/orgs/mon-org/invite"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox() as one:
        monkeypatch.setenv("CRONHUB_MAIL", one.url)
        yield one


def path_of(member: Any) -> str:
    return f"/api/orgs/mon-org/members/{member['member']['id']}"


def as_another_function_remembers(do: Callable[[], Any]) -> None:
    """Does something elsewhere: the keys that this function remembers stay remembered."""
    remembered = dict(api_keys._remembered)
    do()
    api_keys._remembered.update(remembered)


@pytest.mark.parametrize(
    ("path", "body"), [(KEYS, {"name": "late"}), (INVITE, {"email": "friend@example.com", "role": "admin"})]
)
def test_a_removed_admin_whose_key_is_still_remembered_makes_nothing(api: Api, path: str, body: Any) -> None:
    admin = joined(api, role="admin")
    assert api.get("/api/crons", key=admin["key"]).status == 200
    as_another_function_remembers(lambda: api.delete(path_of(admin)))

    assert api.post(path, body, key=admin["key"]).status == 401


def test_an_admin_who_races_their_removal_keeps_no_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = joined(api, role="admin")
    real = members.remove_member
    made: list[str] = []

    def make_one_more_first(*args: Any) -> None:
        if len(made) < 3:
            made.append(api.post(KEYS, {"name": "spare"}, key=admin["key"]).json["key"])
        real(*args)

    monkeypatch.setattr(members, "remove_member", make_one_more_first)

    assert api.delete(path_of(admin)).status == 204
    assert len(made) == 3
    assert {api.get("/api/crons", key=key).status for key in [admin["key"], *made]} == {401}


def test_a_key_that_the_index_does_not_show_yet_goes_with_its_member(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = joined(api, role="admin")
    made = api.post(KEYS, {"name": "spare"}, key=admin["key"]).json["key"]
    monkeypatch.setattr(members, "keys_with_hashes", lambda _org_id: [])

    assert api.delete(path_of(admin)).status == 204
    assert {api.get("/api/crons", key=key).status for key in (admin["key"], made)} == {401}


def test_an_admin_who_races_their_removal_leaves_no_invitation(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = joined(api, role="admin")
    real = members.remove_member
    made: list[str] = []

    def invite_first(*args: Any) -> None:
        if not made:
            body = {"email": "friend@example.com", "role": "admin"}
            made.append(token_of(api.post(INVITE, body, key=admin["key"]).json))
        real(*args)

    monkeypatch.setattr(members, "remove_member", invite_first)

    assert api.delete(path_of(admin)).status == 204
    assert api.post("/api/invites/accept", {"token": made[0]}, key=None).status == 410


def test_removing_a_member_ends_the_invitations_that_they_made(api: Api) -> None:
    admin = joined(api, role="admin")
    theirs = token_of(api.post(INVITE, {"email": "a@example.com"}, key=admin["key"]).json)
    ours = token_of(invited(api, "b@example.com"))

    api.delete(path_of(admin))

    assert api.post("/api/invites/accept", {"token": theirs}, key=None).status == 410
    assert api.post("/api/invites/accept", {"token": ours}, key=None).status == 201


def test_demoting_a_member_ends_the_invitations_that_they_could_not_make_any_more(api: Api) -> None:
    owner = joined(api, role="owner")
    joined(api, "other@example.com", role="owner")
    tokens = {
        role: token_of(api.post(INVITE, {"email": f"{role}@example.com", "role": role}, key=owner["key"]).json)
        for role in ("owner", "admin")
    }

    api.patch(path_of(owner), {"role": "admin"})

    assert api.post("/api/invites/accept", {"token": tokens["owner"]}, key=None).status == 410
    assert api.post("/api/invites/accept", {"token": tokens["admin"]}, key=None).status == 201


def test_a_read_key_cannot_remove_its_own_member(api: Api) -> None:
    member = joined(api, role="admin")
    read_only = api.post(KEYS, {"name": "eyes", "scope": "read"}, key=member["key"]).json["key"]

    assert api.delete(path_of(member), key=read_only).status == 403
    assert api.get("/api/crons", key=member["key"]).status == 200
    assert api.delete(path_of(member), key=member["key"]).status == 204


def test_the_right_to_make_keys_is_looked_at_before_the_body(api: Api) -> None:
    ingest = api.post(KEYS, {"name": "jobs", "scope": "ingest"}).json["key"]

    assert api.post(KEYS, {"nonsense": 1}, key=ingest).status == 403
    assert api.post(KEYS, raw="{", key=ingest).status == 403


def test_an_admin_does_not_replace_an_owners_invitation(api: Api) -> None:
    admin = joined(api, role="admin")
    token = token_of(invited(api, "boss@example.com", role="owner"))

    assert api.post(INVITE, {"email": "Boss@example.com", "role": "viewer"}, key=admin["key"]).status == 403
    assert api.post("/api/invites/accept", {"token": token}, key=None).json["member"]["role"] == "owner"


def test_invitations_are_mailed_only_so_often(api: Api, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    to_one = [api.post(INVITE, {"email": "victim@example.com"}).status for _ in range(7)]
    to_many = [api.post(INVITE, {"email": f"v{number}@example.com"}).status for number in range(30)]

    assert to_one == [201] * 5 + [429] * 2
    assert 429 in to_many
    assert len(box.letters) <= 30


def test_an_invitation_repeats_nothing_that_a_stranger_typed(api: Api, box: Mailbox) -> None:
    api.patch("/api/orgs/mon-org", {"name": "You won! http://evil.example/prize"})
    invited_by_mail = api.post(INVITE, {"email": "victim@example.com"})

    assert invited_by_mail.status == 201
    letter = box.letters[0]
    assert "evil" not in letter["Subject"] + letter.get_content()
    assert "mon-org" in letter["Subject"]


def test_an_org_has_at_most_a_hundred_keys_each_with_its_maker(api: Api) -> None:
    first = api.get(KEYS).json["api_keys"][0]
    made = [api.post(KEYS, {"name": f"key {number}"}) for number in range(100)]

    assert [answer.status for answer in made[-2:]] == [201, 409]
    assert first["made_by"] is None
    assert made[0].json["made_by"] == first["id"]


def test_an_org_that_nobody_claims_in_a_day_is_free_again(api: Api, clock: Clock) -> None:
    squatted = {"name": "x", "slug": "squatted"}
    assert api.post("/api/orgs", squatted, key=None).status == 201
    clock.pass_by(hours=24)
    assert api.post("/api/orgs", squatted, key=None).status == 409
    clock.pass_by(seconds=1)
    assert api.post("/api/orgs/squatted/api-keys", {"name": "late"}, key=None).status == 401

    assert api.post("/api/orgs", squatted, key=None).status == 201
    assert api.post("/api/orgs/squatted/api-keys", {"name": "first"}, key=None).status == 201
    clock.pass_by(days=3)
    assert api.post("/api/orgs", squatted, key=None).status == 409


@pytest.mark.parametrize("slug", ["api", "admin", "status", "www", "cronhub"])
def test_reserved_words_are_no_slugs(api: Api, slug: str) -> None:
    made = api.post("/api/orgs", {"name": "x", "slug": slug}, key=None)
    renamed = api.patch("/api/orgs/mon-org", {"slug": slug})

    assert (made.status, made.wrong_fields) == (422, ["slug"])
    assert (renamed.status, renamed.wrong_fields) == (422, ["slug"])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_an_ipv6_subscriber_is_throttled_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
