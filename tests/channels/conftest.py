import pytest


@pytest.fixture
def private_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receivers of the tests are on this machine."""
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
