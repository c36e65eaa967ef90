"""A form for each of the services that people ask for most: what is typed becomes a channel that works."""

import pytest
from apprise import Apprise

from chalicelib.api.pages.channel_forms import BY_ID, SERVICES
from chalicelib.domain.alerts.channel import ChannelKind, masked
from tests.api.browser import Browser
from tests.api.client import Api

TYPED = {
    "slack": {"hook": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"},
    "discord": {
        "hook": "https://discord.com/api/webhooks/1234567890/AbCdEf-GhIjKlMnOpQrStUvWxYz0123456789abcdefghijkl"
    },
    "telegram": {"token": "123456789:abcdefg_hijklmnop-qrstuvwxyz123456", "chat": "-1001234567890"},
    "pagerduty": {"integration": "a" * 32, "token": "b" * 20},
    "opsgenie": {"token": "5d1b4e2c-7a3f-4c8e-9b6d-0f1e2d3c4b5a"},
    "pushover": {"user": "u" * 30, "token": "a" * 30},
    "ntfy": {"topic": "my-crons", "server": ""},
    "teams": {
        "hook": "https://prod-12.westus.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64/triggers/manual"
        "/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu"
    },
    "webhook": {"address": "https://example.com/hook"},
    "sns": {"topic": "arn:aws:sns:eu-west-1:123456789012:alerts"},
    "apprise": {"url": "json://example.com/path"},
}


@pytest.mark.parametrize("service", sorted(TYPED))
def test_what_is_typed_becomes_a_channel(service: str) -> None:
    form = BY_ID[service]

    url = form.url(TYPED[service])

    if form.kind is ChannelKind.APPRISE:
        assert Apprise.instantiate(url) is not None
    for part in form.parts:
        assert not part.secret or TYPED[service][part.name] not in masked(url)


def test_there_are_ten_services_besides_any_other() -> None:
    assert len(SERVICES) >= 11
    assert set(TYPED) | {"email"} == set(BY_ID)


@pytest.mark.parametrize(
    "hook", ["https://example.com/x", "http://hooks.slack.com/services/a/b/c", "nonsense", ""]
)
def test_a_wrong_address_is_named_beside_its_field(api: Api, hook: str) -> None:
    browser = Browser(api)
    browser.sign_in(api.key)

    page = browser.send(browser.get("/channels?add=slack"), "", action="channels", name="Ops", hook=hook)

    assert page.status == 422
    assert "Webhook address:" in page.words
    assert 'value="Ops"' in page.text
    assert api.get("/api/channels").json["channels"] == []


def test_a_channel_is_made_filtered_tested_and_deleted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    browser = Browser(api)
    browser.sign_in(api.key)

    page = browser.send(
        browser.get("/channels?add=webhook"), "", action="channels", name="Hook", address="http://127.0.0.1:9/x"
    )

    assert "It is shown only this once." in page.words
    [channel] = api.get("/api/channels").json["channels"]
    path = f"/channels/{channel['id']}"
    assert "whsec_" not in browser.get(path).text
    page = browser.send(browser.get(path), "test")
    assert "The test was not delivered:" in page.words
    page = browser.send(browser.get(path), "change", name="Hook", tags="night, day", severities="critical")
    assert "Saved." in page.words
    [channel] = api.get("/api/channels").json["channels"]
    assert channel["filters"]["tags"] == ["night", "day"]
    assert channel["filters"]["severities"] == ["critical"]
    page = browser.send(browser.get(path), "change", name="Hook", tags="x" * 200)
    assert "Tags: must be 1 to 128 characters" in page.words
    assert "whsec_" in browser.send(browser.get(path), "rotate").text
    browser.send(browser.get(path), "delete")
    assert api.get("/api/channels").json["channels"] == []
