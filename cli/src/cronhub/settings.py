"""Where CronHub is and with which key: from the environment, else from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

DEFAULT_URL = "http://localhost:4000"


class UsageError(Exception):
    """Something that the user has to change; shown as one line."""


class Settings(NamedTuple):
    url: str
    #: None: only what needs no key can be done.
    key: str | None

    def __repr__(self) -> str:
        """Without the key: this may end up in a log."""
        return f"Settings(url={self.url!r}, key={'***' if self.key else None})"


def load(url: str | None = None) -> Settings:
    """`CRONHUB_URL` and `CRONHUB_API_KEY`, else the same in lower case in a configuration file."""
    kept = _from_files()
    url = url or os.environ.get("CRONHUB_URL") or kept.get("url") or DEFAULT_URL
    key = os.environ.get("CRONHUB_API_KEY") or kept.get("api_key")
    return Settings(checked_url(url), key.strip() if key else None)


def checked_url(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"CRONHUB_URL must be an address such as {DEFAULT_URL}, not {url!r}")
    return url.strip().rstrip("/")


def number(variable: str, fallback: float) -> float:
    """A number of seconds; what is none is the fallback: it is no reason for a job not to run."""
    try:
        return max(0.0, float(os.environ.get(variable) or fallback))
    except ValueError:
        return fallback


def files() -> list[Path]:
    """The configuration files that are read; the first that names a value decides."""
    named = os.environ.get("CRONHUB_CONFIG")
    if named:
        return [Path(named)]
    return [config_home() / "cronhub" / "config", Path("/etc/cronhub/config")]


def config_home() -> Path:
    return _xdg("XDG_CONFIG_HOME", ".config")


def state_folder() -> Path:
    """Where signals wait that could not be sent, and ids of crons are remembered."""
    named = os.environ.get("CRONHUB_STATE")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/cronhub")
    return _xdg("XDG_STATE_HOME", ".local/state") / "cronhub"


def _xdg(variable: str, fallback: str) -> Path:
    named = os.environ.get(variable, "")
    if named.startswith("/"):
        return Path(named)
    try:
        return Path.home() / fallback
    except RuntimeError:
        # A user without a home: a folder of their own that nobody else can write to.
        return Path(f"/tmp/cronhub-{os.geteuid()}")  # noqa: S108


def _from_files() -> dict[str, str]:
    kept: dict[str, str] = {}
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        for line in text.splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.lstrip().startswith("#"):
                kept.setdefault(name.strip().lower(), value.strip().strip("\"'"))
    return kept
