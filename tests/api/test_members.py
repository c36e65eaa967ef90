"""Invitations, members and the rights they come with."""

from typing import Any

import pytest

from chalicelib.store import members
from tests.api.client import Api, Clock


def invited(api: Api, email: str = "dev@example.com", **more: Any) -> Any:
    answer = api.post("/api/orgs/mon-org/invite", {"email": email, **more})
    assert answer.status == 201, answer.text
    return answer.json


def token_of(invite: Any) -> str:
    return str(invite["link"].partition("#")[2])


def joined(api: Api, email: str = "dev@example.com", **more: Any) -> Any:
    answer = api.post("/api/invites/accept", {"token": token_of(invited(api, email, **more))}, key=None)
    assert answer.status == 201, answer.text
    return answer.json


def test_an_invitation_without_mail_gives_its_link_to_the_inviter(api: Api) -> None:
    invite = invited(api)

    assert invite["role"] == "member"
    assert invite["mail"] == {"sent": False, "error": None}
    assert token_of(invite).startswith("inv_")
    listed = api.get("/api/orgs/mon-org/invites")
    assert [one["email"] for one in listed.json["invites"]] == ["dev@example.com"]
    assert token_of(invite) not in listed.text


def test_accepting_makes_a_member_with_a_key_of_their_own(api: Api) -> None:
    accepted = joined(api)

    assert accepted["member"]["role"] == "member"
    assert api.get("/api/crons", key=accepted["key"]).status == 200
    assert api.post("/api/orgs/mon-org/invite", {"email": "x@example.com"}, key=accepted["key"]).status == 403
    members = api.get("/api/orgs/mon-org/members").json["members"]
    assert [one["id"] for one in members] == [accepted["member"]["id"]]
    keys = api.get("/api/orgs/mon-org/api-keys").json["api_keys"]
    assert accepted["member"]["id"] in [one["member_id"] for one in keys]


def test_an_invitation_is_good_once_and_for_seven_days(api: Api, clock: Clock) -> None:
    once = token_of(invited(api))
    late = token_of(invited(api, "late@example.com"))

    statuses = [api.post("/api/invites/accept", {"token": once}, key=None).status for _ in range(2)]
    clock.pass_by(days=7)

    assert statuses == [201, 410]
    assert api.post("/api/invites/accept", {"token": late}, key=None).status == 410


def test_a_second_invitation_replaces_the_first(api: Api) -> None:
    first, second = token_of(invited(api)), token_of(invited(api, "Dev@Example.com"))

    assert api.post("/api/invites/accept", {"token": first}, key=None).status == 410
    assert api.post("/api/invites/accept", {"token": second}, key=None).status == 201
    assert api.post("/api/orgs/mon-org/invite", {"email": "DEV@example.com"}).status == 409


def test_a_revoked_invitation_is_gone(api: Api) -> None:
    invite = invited(api)

    path = f"/api/orgs/mon-org/invites/{invite['id']}"

    assert [api.delete(path).status for _ in range(2)] == [204, 404]
    assert api.post("/api/invites/accept", {"token": token_of(invite)}, key=None).status == 410


def test_another_address_cannot_accept(api: Api) -> None:
    token = token_of(invited(api))

    assert api.post("/api/invites/accept", {"token": token, "email": "thief@x.org"}, key=None).status == 403
    assert api.post("/api/invites/accept", {"token": token, "email": "DEV@example.com"}, key=None).status == 201


@pytest.mark.parametrize("token", ["", "inv_", "x" * 100, "inv_" + "0" * 60, "inv_000000000000\x00", "ключ"])
def test_what_is_no_invitation_is_not_found(api: Api, token: str) -> None:
    assert api.post("/api/invites/accept", {"token": token}, key=None).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": "a@b.c\nBcc: x@y.z"}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
        ({"email": "a@example.com", "role": "king"}, "role"),
    ],
)
def test_a_bad_invitation_names_its_field(api: Api, body: Any, field: str) -> None:
    answer = api.post("/api/orgs/mon-org/invite", body)

    assert answer.status == 422
    assert answer.wrong_fields == [field]


def test_owners_are_made_and_unmade_by_owners_alone(api: Api) -> None:
    owner = joined(api, "owner@example.com", role="owner")
    admin = joined(api, "admin@example.com", role="admin")
    path = f"/api/orgs/mon-org/members/{owner['member']['id']}"

    assert (
        api.post("/api/orgs/mon-org/invite", {"email": "x@y.org", "role": "owner"}, key=admin["key"]).status == 403
    )
    assert api.patch(path, {"role": "viewer"}, key=admin["key"]).status == 403
    assert api.delete(path, key=admin["key"]).status == 403
    assert api.patch(path, {"name": "The boss"}, key=admin["key"]).status == 403
    assert api.patch(path, {"name": "The boss"}).json["name"] == "The boss"


def test_owners_keys_are_revoked_by_owners_alone(api: Api) -> None:
    admin = joined(api, "admin@example.com", role="admin")
    keys = api.get("/api/orgs/mon-org/api-keys").json["api_keys"]
    paths = {key["role"]: f"/api/orgs/mon-org/api-keys/{key['id']}" for key in keys}

    assert api.delete(paths["owner"], key=admin["key"]).status == 403
    assert api.get("/api/crons").status == 200
    assert api.delete(paths["admin"], key=admin["key"]).status == 204


def test_a_member_with_more_keys_than_a_transaction_holds_is_changed_and_removed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "_KEYS_AT_ONCE", 2)
    member = joined(api, role="admin")
    made = [
        api.post("/api/orgs/mon-org/api-keys", {"name": "spare"}, key=member["key"]).json["key"] for _ in range(4)
    ]
    path = f"/api/orgs/mon-org/members/{member['member']['id']}"

    assert api.patch(path, {"role": "viewer"}).status == 200
    assert {api.post("/api/projects", {"name": "p"}, key=key).status for key in made} == {403}
    assert api.delete(path).status == 204
    assert {api.get("/api/crons", key=key).status for key in [member["key"], *made]} == {401}


def test_a_transaction_has_room_for_a_member_with_many_keys(api: Api) -> None:
    member = joined(api, role="admin")
    for _ in range(100):
        api.post("/api/orgs/mon-org/api-keys", {"name": "spare"}, key=member["key"])
    path = f"/api/orgs/mon-org/members/{member['member']['id']}"

    assert api.patch(path, {"role": "viewer"}).status == 200
    assert api.delete(path).status == 204


def test_the_last_owner_stays(api: Api) -> None:
    one = joined(api, "one@example.com", role="owner")["member"]["id"]
    other = joined(api, "other@example.com", role="owner")["member"]["id"]

    demoted = api.patch(f"/api/orgs/mon-org/members/{one}", {"role": "member"})

    assert demoted.status == 200
    assert api.patch(f"/api/orgs/mon-org/members/{other}", {"role": "admin"}).status == 409
    assert api.delete(f"/api/orgs/mon-org/members/{other}").status == 409
    assert api.delete(f"/api/orgs/mon-org/members/{one}").status == 204


def test_a_member_may_leave_but_remove_nobody(api: Api) -> None:
    viewer = joined(api, "viewer@example.com", role="viewer")
    member = joined(api, "member@example.com")

    other = api.delete(f"/api/orgs/mon-org/members/{member['member']['id']}", key=viewer["key"])
    own = api.delete(f"/api/orgs/mon-org/members/{viewer['member']['id']}", key=viewer["key"])

    assert (other.status, own.status) == (403, 204)
    assert api.get("/api/crons", key=viewer["key"]).status == 401


def test_removing_a_member_revokes_their_keys_and_frees_their_seat(api: Api) -> None:
    admin = joined(api, role="admin")
    made = api.post("/api/orgs/mon-org/api-keys", {"name": "second"}, key=admin["key"]).json["key"]

    assert api.delete(f"/api/orgs/mon-org/members/{admin['member']['id']}").status == 204
    assert api.get("/api/crons", key=admin["key"]).status == 401
    assert api.get("/api/crons", key=made).status == 401
    assert joined(api)["member"]["role"] == "member"


def test_a_new_role_is_the_role_of_their_keys(api: Api) -> None:
    member = joined(api)
    path = f"/api/orgs/mon-org/members/{member['member']['id']}"

    api.patch(path, {"role": "viewer"})

    assert api.post("/api/projects", {"name": "p"}, key=member["key"]).status == 403
    api.patch(path, {"role": "admin"})
    assert api.get("/api/orgs/mon-org/invites", key=member["key"]).status == 200


def test_lists_come_in_pages(api: Api) -> None:
    for number in range(3):
        api.post("/api/projects", {"name": f"project {number}"})
        api.post("/api/orgs/mon-org/invite", {"email": f"{number}@example.com"})
        api.new_key("read")

    for path, name in (
        ("/api/projects", "projects"),
        ("/api/orgs/mon-org/invites", "invites"),
        ("/api/orgs/mon-org/api-keys", "api_keys"),
    ):
        whole = api.get(path).json
        first = api.get(path, limit=2).json
        rest = api.get(path, cursor=first["next_cursor"]).json
        assert len(first[name]) == 2
        assert first[name] + rest[name] == whole[name]
        assert rest["next_cursor"] is whole["next_cursor"] is None


def test_another_orgs_members_are_not_found(api: Api) -> None:
    member = joined(api)["member"]["id"]
    stranger = api.new_org("other")

    for answer in (
        api.get("/api/orgs/mon-org/members", key=stranger),
        api.get("/api/orgs/mon-org/invites", key=stranger),
        api.post("/api/orgs/mon-org/invite", {"email": "x@y.org"}, key=stranger),
        api.patch(f"/api/orgs/mon-org/members/{member}", {"role": "viewer"}, key=stranger),
        api.patch(f"/api/orgs/other/members/{member}", {"role": "viewer"}, key=stranger),
        api.delete(f"/api/orgs/other/members/{member}", key=stranger),
    ):
        assert answer.status == 404
