"""Settings that cannot be meant stop the function's start, with one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib import settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRONHUB_PREFIX", "my cronhub"),
        ("CRONHUB_PREFIX", "-cronhub"),
        ("CRONHUB_PREFIX", "x" * 41),
        ("CRONHUB_BASE_URL", "cronhub.example.com"),
        ("CRONHUB_BASE_URL", "https://"),
        ("CRONHUB_BASE_URL", "https://cronhub.example.com/?x=1"),
        ("CRONHUB_MAIL", "ops@example.com"),
        ("CRONHUB_MAIL", "ses:ops"),
        ("CRONHUB_MAIL", "smtp://user:very-secret@mail.example.com"),
        ("CRONHUB_QUEUE_URL", "cronhub-notify"),
        ("CRONHUB_THROTTLE", "yes"),
        ("CRONHUB_ALLOW_PRIVATE_TARGETS", "true"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(settings.BadSetting, match=f"^{name} must be [^\n]+$") as bad:
        settings.check()

    assert "very-secret" not in str(bad.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRONHUB_PREFIX", "team_a-cronhub"),
        ("CRONHUB_BASE_URL", ""),
        ("CRONHUB_BASE_URL", "http://localhost:4000"),
        ("CRONHUB_BASE_URL", "http://127.0.0.1:4566/restapis/a1b2/dev/_user_request_"),
        ("CRONHUB_MAIL", ""),
        ("CRONHUB_MAIL", "ses:cronhub@example.com"),
        ("CRONHUB_MAIL", "smtp://user:p%40ss@mail.example.com:587?from=cronhub@example.com"),
        ("CRONHUB_MAIL", "smtps://mail.example.com?from=cronhub%40example.com"),
        ("CRONHUB_THROTTLE", "OFF"),
        ("CRONHUB_ALLOW_PRIVATE_TARGETS", "1"),
    ],
)
def test_a_good_one_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    settings.check()


def test_the_app_does_not_start_with_a_wrong_one() -> None:
    env = os.environ | {"CRONHUB_MAIL": "nonsense"}

    start = [sys.executable, "-c", "import app"]

    done = subprocess.run(start, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "BadSetting: CRONHUB_MAIL must be ses:FROM" in done.stderr
