"""Whatever a channel's URL is and whatever its receiver says, nothing is raised and no secret told."""

import socket

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.channels.message import State, later, told
from chalicelib.channels.send import deliver, why_not
from chalicelib.domain.alerts.channel import ChannelKind, masked
from chalicelib.outbound import http
from tests.channels.receivers import NOON, SECRET, channel, message

_PARTS = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["://", "/", "?", "@", ":", "#", "%", "[", "]", "&", "a=b", "..", "\x00", "\r\n"]),
)
_SCHEMES = st.sampled_from(["http", "https", "json", "ntfy", "slack", "mailto", "matrix", "apprise", "form", "x"])
_RESTS = st.lists(_PARTS, max_size=6).map("".join)
_URLS = _RESTS | st.builds(lambda scheme, rest: f"{scheme}://{rest}", _SCHEMES, _RESTS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(url=_URLS, kind=st.sampled_from(ChannelKind))
@example(url="http://\ud800", kind=ChannelKind.WEBHOOK)
@example(url="http://[::1]%", kind=ChannelKind.APPRISE)
def test_no_url_makes_a_delivery_raise(url: str, kind: ChannelKind) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Every name is known, and inside: nothing is sent.
        patch.setattr(http, "resolve", lambda _, port: [(socket.AF_INET, ("10.0.0.1", port))])
        patch.delenv("CRONHUB_MAIL", raising=False)
        why_not(kind, url)
        masked(url)
        outcome = deliver(channel(url, kind), message(), NOON)

    assert outcome.state is not State.DELIVERED
    assert "could not be sent" not in outcome.detail
    outcome.detail.encode()


@given(said=st.text(max_size=2000), place=st.integers(0, 2000), scheme=st.sampled_from(["https", "json"]))
def test_no_secret_is_told_wherever_it_stands(said: str, place: int, scheme: str) -> None:
    url = f"{scheme}://user:pa%24%24word-1@example.com/to-ken-2/x?key=to+ken-3"
    one = channel(url, ChannelKind.APPRISE, secrets=(SECRET,))
    for secret in ("pa%24%24word-1", "pa$$word-1", "to-ken-2", "to ken-3", "to+ken-3", "to%2Bken-3", SECRET, url):
        detail = told(later(said[:place] + secret + said[place:]), one).detail
        assert secret not in detail
        assert len(detail.encode()) <= 1024
