"""Every text of the signed-in pages that Python says, and not a template, is there in French."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.api.pages import language, render
from chalicelib.api.pages.channel_forms import SERVICES
from chalicelib.api.routes import pages
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.alerts.channel import KINDS, Severity
from chalicelib.domain.alerts.delivery import DeliveryState
from chalicelib.domain.monitor.cron import Reason
from chalicelib.domain.monitor.dependencies import Unmet
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.incident import Resolution
from chalicelib.domain.runs.anomaly import AnomalyKind
from chalicelib.domain.runs.run import Excuse, RunStatus

_SAYING = {"_": 1, "text": 1, "number_of": 2}
_FOLDERS = (Path(pages.__file__).parent, Path(language.__file__).parent)
_FILES = sorted(file for folder in _FOLDERS for file in folder.glob("*.py"))
#: Those of the documentation hold no text of users.
_TEMPLATES = sorted(file for file in render.TEMPLATES.rglob("*.html") if file.parent.name != "docs")
_WORDS = (
    DisplayStatus,
    Reason,
    RunStatus,
    DeliveryState,
    Resolution,
    Excuse,
    AnomalyKind,
    Unmet,
    Role,
    Scope,
    Severity,
)


def texts_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for argument in node.args[: _SAYING.get(name, 0)]:
                yield from (
                    one.value
                    for one in ast.walk(argument)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name)
def test_every_text_in_python_is_there_in_french(file: Path) -> None:
    missing = {said for said in texts_in(file) if said.strip() and (" " in said or said.istitle())} - set(
        language.french()
    )

    assert sorted(missing) == [], "add them to chalicelib/api/pages/texts/dashboard.json"


def test_every_word_that_a_value_stands_for_is_there_in_french() -> None:
    words = {one.value.replace("_", " ") for kind in _WORDS for one in kind}
    words |= {kind.replace("_", " ") for kind in KINDS} | {"open", "acknowledged", "resolved"}

    assert sorted(words - set(language.french())) == []


def test_every_label_of_a_channels_form_is_there_in_french() -> None:
    said = {one.label for one in SERVICES} | {one.hint for one in SERVICES if one.hint}
    said |= {part.label for one in SERVICES for part in one.parts}

    assert sorted(said - set(language.french())) == []


def test_the_texts_are_found() -> None:
    found = {said for file in _FILES for said in texts_in(file)}

    assert {"All is well. The next run is expected %(until)s, at %(when)s.", "%(num)s times"} <= found


@pytest.mark.parametrize("template", _TEMPLATES, ids=lambda file: file.name)
def test_only_constants_are_taken_for_safe_texts(template: Path) -> None:
    """Jinja's `_` marks its text as HTML; a text that is no constant goes through the filter `said`."""
    assert re.findall(r"\b(?:_|gettext)\((?![\"'])", template.read_text()) == []
