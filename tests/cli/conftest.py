"""The command line tool, against a CronHub that listens on a port of this machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.services import throttle
from chalicelib.store import api_keys
from chalicelib.store.tables import create_tables
from tests import stores
from tests.api.client import Api
from tests.cli.program import FakeCronHub, Tool, serving_fake
from tests.local.serving import serving


@pytest.fixture(scope="package")
def port() -> Iterator[int]:
    # Moto takes half a minute for three hundred crons.
    with stores.emulated_aws("embedded"):
        create_tables()
        with serving(app) as port:
            yield port


@pytest.fixture
def api(port: int) -> Iterator[Api]:
    """The same CronHub, asked directly; with a key of an org of its own."""
    api_keys.forget_keys()
    throttle.forget()
    stores.empty_tables()
    stores.delete_queues()
    with Api.started() as api:
        api.key = api.new_org("mon-org")
        yield api


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's user is read or written."""
    for name in [name for name in os.environ if name.startswith("CRONHUB_") and name != "CRONHUB_THROTTLE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRONHUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CRONHUB_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("CRONHUB_BACKGROUND", "off")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def tool(api: Api, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    """The tool with the address and the key of that CronHub."""
    assert api.key
    monkeypatch.setenv("CRONHUB_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("CRONHUB_API_KEY", api.key)
    return Tool(capsys)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCronHub]:
    """A CronHub that keeps what it is sent, and answers as the test says."""
    with FakeCronHub() as server, serving_fake(server):
        monkeypatch.setenv("CRONHUB_URL", server.url)
        yield server


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Any:
    """CronHub is away: its port refuses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("CRONHUB_URL", f"http://127.0.0.1:{port}")
    return port
