"""What goes through a channel, and what is shown of one."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.alerts.channel import (
    KINDS,
    Channel,
    ChannelFilters,
    ChannelKind,
    Severity,
    Subject,
    admits,
    masked,
    rotated,
    severity_of,
)
from chalicelib.domain.monitor.event import EventKind
from tests.channels.receivers import NOON


def goes_through(
    filters: ChannelFilters, kind: str = "missed", project_id: str | None = "p1", tags: tuple[str, ...] = ()
) -> bool:
    return admits(filters, kind, Subject("shop", "nightly", project_id, tags))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("late", "blocked")])
def test_without_filters_everything_goes_through(kind: str) -> None:
    assert goes_through(ChannelFilters(), kind)


@pytest.mark.parametrize("kind", ["late", "blocked"])
def test_late_and_blocked_go_through_only_where_they_are_named(kind: str) -> None:
    assert not goes_through(ChannelFilters(), kind)
    assert not goes_through(ChannelFilters(severities=(Severity.WARNING,)), kind)
    assert goes_through(ChannelFilters(kinds=("missed", kind)), kind)


@pytest.mark.parametrize(
    ("filters", "through"),
    [
        (ChannelFilters(products=("shop", "blog")), True),
        (ChannelFilters(products=("blog",)), False),
        (ChannelFilters(services=("nightly",)), True),
        (ChannelFilters(services=("hourly",)), False),
        (ChannelFilters(project_ids=("p1",)), True),
        (ChannelFilters(project_ids=("p2",)), False),
        (ChannelFilters(tags=("db", "eu")), True),
        (ChannelFilters(tags=("us",)), False),
        (ChannelFilters(kinds=("missed",)), True),
        (ChannelFilters(kinds=("failed", "recovered")), False),
        (ChannelFilters(severities=(Severity.CRITICAL,)), True),
        (ChannelFilters(severities=(Severity.INFO, Severity.WARNING)), False),
        (ChannelFilters(products=("shop",), services=("hourly",)), False),
        (ChannelFilters(products=("shop",), services=("nightly",), tags=("eu",), kinds=("missed",)), True),
    ],
)
def test_all_that_is_asked_for_must_fit_and_of_each_any_one(filters: ChannelFilters, through: bool) -> None:
    assert goes_through(filters, tags=("eu", "x")) is through


def test_a_cron_of_no_project_does_not_fit_a_project() -> None:
    assert not goes_through(ChannelFilters(project_ids=("p1",)), project_id=None)
    assert goes_through(ChannelFilters(), project_id=None)


def test_every_kind_of_event_has_a_severity_of_its_own() -> None:
    assert {kind.value for kind in EventKind} <= set(KINDS)
    assert severity_of(EventKind.MISSED) is Severity.CRITICAL
    assert severity_of(EventKind.DRIFT) is Severity.WARNING
    assert severity_of("reminder") is Severity.INFO


def test_of_the_secrets_the_last_two_are_live() -> None:
    channel = Channel("o", "c", "n", ChannelKind.WEBHOOK, "https://example.com/", NOON)
    for secret in ("one", "two", "three"):
        channel = rotated(channel, secret)

    assert channel.secrets == ("three", "two")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com", "https://example.com/…"),
        ("HTTPS://Example.com:8443/hook?token=abc#x", "https://example.com:8443/…"),
        ("http://user:secret@example.com/a/b", "http://example.com/…"),
        ("http://user@with:secret@example.com/", "http://example.com/…"),
        ("http://[2606:4700::1111]:80/x", "http://[2606:4700::1111]:80/…"),
        ("https://secret\\@example.com/", "https://…"),
        ("https://example.com:secret/", "https://…"),
        ("https://sec ret/", "https://…"),
        ("https:///secret", "https://…"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord://…"),
        ("json://user:secret@example.com/", "json://…"),
        ("dev@example.com", "…@example.com"),
        ("a@b@example.com", "…@example.com"),
        ("@example.com", "…"),
        ("secret", "…"),
        ("", "…"),
        ("sec ret://x", "…"),
        ("arn:aws:sns:eu-west-1:123456789012:alerts", "arn:aws:sns:eu-west-1:…:alerts"),
        ("arn:aws:sns:eu-west-1:123456789012:alerts/secret", "…"),
    ],
)
def test_of_an_address_its_host_or_service_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


_TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=3, max_size=30).map(
    lambda text: f"Tk{text}Kt"
)
_SCHEMES = st.sampled_from(["http", "https", "HTTPS", "json", "slack", "mailtos", "tgram", "x", "a+b"])


@given(scheme=_SCHEMES, token=_TOKENS, form=st.integers(0, 8), quoted=st.booleans())
@example(scheme="https", token="Tk@\\/Kt", form=0, quoted=False)
def test_no_token_is_ever_shown(scheme: str, token: str, form: int, quoted: bool) -> None:
    token = quote(token, safe="") if quoted else token
    places = (
        f"{scheme}://user:{token}@example.com/",
        f"{scheme}://{quote(token, safe='')}@example.com/",
        f"{scheme}://example.com/{token}",
        f"{scheme}://example.com/a/{token}/b",
        f"{scheme}://example.com?key={token}",
        f"{scheme}://example.com/#{token}",
        f"{scheme}://example.com:443/?a=b&c={token}",
        f"json://{token}/x",
        f"{token}@example.com",
    )
    shown = masked(places[form])

    assert "tk" not in shown.lower().replace("slack", "")
    assert "kt" not in shown.lower()
