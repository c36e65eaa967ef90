"""CronHub as `make run` runs it, and a real browser before it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    # Installed by `make test-web` alone.
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Demo(NamedTuple):
    """What `make demo` shows."""

    address: str
    key: str


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _running("infra.local", tmp_path_factory.mktemp("state")) as (address, _):
        yield address


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo_in(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@contextmanager
def demo_in(state: Path) -> Iterator[Demo]:
    with _running("infra.demo", state) as (address, log):
        [key] = re.findall(r"sign in with this key: (ch_\w{40})", log.read_text())
        yield Demo(address, key)


@contextmanager
def _running(module: str, state: Path) -> Iterator[tuple[str, Path]]:
    """Yields the address and the log of a service of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://localhost:{probe.getsockname()[1]}"
    env = {**os.environ, "CRONHUB_STATE": str(state), "PORT": address.rpartition(":")[2]}
    env |= {"CRONHUB_API_PROCESSES": "1", "CRONHUB_BASE_URL": address}
    env.pop("AWS_ENDPOINT_URL", None)
    with (state / "log").open("w") as log:
        service = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=env, stdout=log, stderr=log)
        try:
            _wait_for(f"{address}/api/health")
            yield address, state / "log"
        finally:
            service.terminate()
            service.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(url)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: "Browser") -> "Iterator[BrowserContext]":
    made = chromium.new_context(locale="en-GB", timezone_id="Europe/Paris")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: "BrowserContext") -> "Iterator[Page]":
    """A tab; a test fails where its script does, or where the page's policy had to stop something."""
    faults: list[str] = []
    made = context.new_page()
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield made
    assert faults == []
