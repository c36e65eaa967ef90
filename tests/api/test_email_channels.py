"""E-mail channels through the API: nothing is sent to an address whose owner did not agree."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services import channels, throttle
from tests.api.client import Api, Clock
from tests.channels.mailbox import Mailbox, mailbox

OPS = {"name": "Ops", "kind": "email", "url": "ops@example.com"}


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox() as one:
        monkeypatch.setenv("CRONHUB_MAIL", one.url)
        yield one


def made(api: Api, **more: Any) -> Any:
    answer = api.post("/api/channels", OPS | more)
    assert answer.status == 201, answer.text
    return answer.json


def path(channel: Any, more: str = "") -> str:
    return f"/api/channels/{channel['id']}{more}"


def token_in(box: Mailbox, place: int = -1) -> str:
    found = re.search(r"http://localhost:4000/api/channels/confirm\?token=(\S+)", box.letters[place].get_content())
    assert found
    return found[1]


def confirm(api: Api, token: str) -> int:
    return api.get("/api/channels/confirm", key=None, token=token).status


def test_a_new_address_is_asked_first(api: Api, box: Mailbox) -> None:
    channel = made(api)
    early = api.post(path(channel, "/test"))
    opened = api.get("/api/channels/confirm", key=None, token=token_in(box))
    shown = api.get(path(channel)).json
    tested = api.post(path(channel, "/test")).json

    assert (channel["confirmed"], channel["url"], "secret" in channel) == (False, "…@example.com", False)
    assert early.status == 409
    assert (opened.status, opened.json) == (200, {"confirmed": True})
    assert shown["confirmed"] is True
    assert tested["delivered"] is True
    assert box.recipients == [["ops@example.com"]] * 2
    assert "mon-org" in box.letters[0].get_content()
    assert box.letters[1]["Subject"] == "[TEST] Ops"


def test_the_link_opened_in_a_browser_is_a_page(api: Api, box: Mailbox) -> None:
    channel = made(api)
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    opened = api.get("/api/channels/confirm", key=None, token=token_in(box), headers=browser)
    [style] = re.findall(r'href="\.\./\.\./([^"]+css)"', opened.text)

    assert opened.headers["Content-Type"].startswith("text/html")
    assert "<h1>Confirmed</h1>" in opened.text
    assert api.get(f"/{style}", key=None).status == 200
    assert api.get(path(channel)).json["confirmed"] is True
    bad = api.get("/api/channels/confirm", key=None, token="wrong", headers=browser)
    assert (bad.status, "<h1>Not confirmed</h1>" in bad.text) == (404, True)


def test_the_link_is_good_again_and_again_for_7_days(api: Api, box: Mailbox, clock: Clock) -> None:
    made(api)
    token = token_in(box)

    clock.pass_by(days=7)
    assert [confirm(api, token), confirm(api, token)] == [200, 200]
    clock.pass_by(seconds=1)
    assert confirm(api, token) == 404


def test_a_link_that_is_not_ours_confirms_nothing(api: Api, box: Mailbox) -> None:
    channel = made(api)
    other = made(api, url="other@example.com")
    token = token_in(box, 0)
    org_id, channel_id, secret = token.split(".")
    for wrong in (
        "x",
        "..",
        token[:-1],
        token + "x",
        f"{org_id}.{other['id']}.{secret}",
        f"{org_id}.{channel_id}.",
        f"000000000000.{channel_id}.{secret}",
        f".{channel_id}.{secret}",
        "\0",
    ):
        assert confirm(api, wrong) == 404
    assert api.get("/api/channels/confirm", key=None).wrong_fields == ["token"]
    assert api.get("/api/channels/confirm", key=None, token="x" * 201).wrong_fields == ["token"]
    assert [api.get(path(one)).json["confirmed"] for one in (channel, other)] == [False, False]


def test_the_token_is_kept_nowhere(api: Api, box: Mailbox) -> None:
    from chalicelib.store.tables import ChannelItem

    channel = made(api)
    token = token_in(box)

    (item,) = ChannelItem.scan()
    assert token.split(".")[2] not in str(item.serialize())
    assert token not in api.get(path(channel)).text


def test_another_address_is_asked_anew(api: Api, box: Mailbox) -> None:
    channel = made(api)
    first = token_in(box)
    confirm(api, first)
    moved = api.patch(path(channel), {"url": "new@example.com"}).json

    assert moved["confirmed"] is False
    assert confirm(api, first) == 404
    assert api.get(path(channel)).json["confirmed"] is False
    assert confirm(api, token_in(box)) == 200
    assert box.recipients[-1] == ["new@example.com"]


def test_the_same_address_is_asked_again_only_while_it_did_not_agree(api: Api, box: Mailbox) -> None:
    channel = made(api)
    api.patch(path(channel), {"url": "ops@example.com"})
    first, second = token_in(box, 0), token_in(box, 1)
    statuses = [confirm(api, first), confirm(api, second)]
    api.patch(path(channel), {"url": "ops@example.com", "name": "New"})

    assert statuses == [404, 200]
    assert len(box.letters) == 2
    assert api.get(path(channel)).json["confirmed"] is True


def test_where_the_link_cannot_be_mailed_the_channel_says_so(api: Api, box: Mailbox) -> None:
    box.refuse = "550 no such user"
    channel = made(api)
    box.refuse = ""
    again = api.patch(path(channel), {"url": "ops@example.com"}).json

    assert channel["confirmed"] is False
    assert channel["failing_since"] == "2026-03-10T12:00:00Z"
    assert "550 no such user" in channel["last_error"]
    assert (again["last_error"], again["confirmed"]) == (None, False)
    assert confirm(api, token_in(box)) == 200


def test_without_a_mail_setting_there_are_no_email_channels(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRONHUB_MAIL", raising=False)
    answer = api.post("/api/channels", OPS)

    assert (answer.status, answer.wrong_fields) == (422, ["kind"])


@pytest.mark.parametrize(
    "url", ["", "ops", "Ops <ops@example.com>", "a@example.com, b@example.com", "https://example.com"]
)
def test_what_is_no_address_is_refused(api: Api, box: Mailbox, url: str) -> None:
    answer = api.post("/api/channels", OPS | {"url": url})

    assert (answer.status, answer.wrong_fields, box.letters) == (422, ["url"], [])


def test_nobody_is_flooded_with_links(api: Api, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    monkeypatch.setattr(channels, "CONFIRMATIONS_TO_ADDRESS", throttle.CONFIRMATIONS_TO_ADDRESS._replace(uses=2))
    statuses = [
        api.post("/api/channels", OPS | {"url": url}).status for url in ["a@example.com", "A@example.com"] * 2
    ]

    assert statuses == [201, 201, 429, 429]
    assert len(box.letters) == 2
    assert len(api.get("/api/channels").json["channels"]) == 2


def test_an_org_mails_no_more_links_than_it_may(api: Api, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    monkeypatch.setattr(channels, "CONFIRMATIONS_OF_ORG", throttle.CONFIRMATIONS_OF_ORG._replace(uses=1))
    statuses = [api.post("/api/channels", OPS | {"url": f"{name}@example.com"}).status for name in "ab"]

    assert statuses == [201, 429]
