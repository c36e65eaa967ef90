"""The tool as it is given to people: Python 3.9, no dependencies, a man page, completion."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cronhub import manual
from cronhub.__main__ import COMMANDS

from tests.api.client import Api
from tests.cli.program import SOURCE, Tool, environment

FILES = sorted(SOURCE.rglob("*.py"))
#: Parts of the standard library that came after 3.9.
_LATER = re.compile(
    r"\bdatetime import .*\bUTC\b|\bStrEnum\b|\btomllib\b|zip\([^)]*strict=|\bExceptionGroup\b|\bmatch \w+:$|"
    r"slots=True|kw_only=True|\bpairwise\b|\bbit_count\b|asyncio\.(timeout|TaskGroup|Runner)\b|\bchdir\(",
    re.MULTILINE,
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_file_is_python_3_9(path: Path) -> None:
    text = path.read_text()
    ast.parse(text, feature_version=(3, 9))

    assert _LATER.search(text) is None
    # A union of types in an annotation is text to 3.9 only with this.
    assert " | " not in text or "from __future__ import annotations" in text


def test_it_needs_nothing_but_the_standard_library() -> None:
    load = "import cronhub.__main__ as tool; [tool.parser_of(name) for name in tool.COMMANDS]"
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {load}"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code, str(SOURCE)], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""


def test_starting_a_job_loads_no_more_than_it_needs() -> None:
    code = "import sys, cronhub.commands.run_job; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )

    assert not {
        "cronhub.monitoring",
        "cronhub.terminal",
        "cronhub.discover",
        "cronhub.ascode",
        "urllib.request",
        "yaml",
    } & set(done.stdout.split())


def test_the_man_page_is_that_of_the_commands() -> None:
    kept = (SOURCE.parent / "man" / "cronhub.1").read_text()

    assert kept == manual.page(), "run `make manual`"
    assert all(f".SS {name}\n" in kept for name in COMMANDS)


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_the_man_page_is_one() -> None:
    page = str(SOURCE.parent / "man" / "cronhub.1")
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", "--warnings", page], env=env, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert "--ignore-blocked" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (["cronhub", "sta"], {"status"}),
        (["cronhub", "exec", "--ign"], {"--ignore-blocked"}),
        (["cronhub", "discover", "sys"], set()),
        (["cronhub", "import", "sen"], {"sentry"}),
        (["cronhub", "runs", "shop"], {"shop/nightly/backup"}),
        (["cronhub", "exec", "--cron", "shop"], {"shop/nightly/backup"}),
    ],
)
def test_bash_completes_commands_options_and_names(
    tool: Tool, api: Api, tmp_path: Path, line: list[str], wanted: set[str]
) -> None:
    api.new_cron()
    program = tmp_path / "cronhub"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cronhub "$@"\n')
    program.chmod(0o755)
    script = tmp_path / "completion"
    script.write_text(tool("completion", "bash").out)
    words = " ".join(f"'{word}'" for word in line)
    say = "printf '%s\\n' \"${COMPREPLY[@]}\""
    ask = f"source {script}; COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; _cronhub; {say}"
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", ask], env=environment(PATH=path), capture_output=True, text=True, check=False
    )

    assert set(done.stdout.split()) == wanted, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_too(tool: Tool, shell: str, tmp_path: Path) -> None:
    script = tool("completion", shell).out

    assert all(name in script for name in COMMANDS)
    assert "--ignore-blocked" in script or "-l ignore-blocked" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        assert subprocess.run([shell, "-n", str(tmp_path / "script")], check=False).returncode == 0


def test_the_package_says_what_the_tool_says() -> None:
    from cronhub import __version__

    text = (SOURCE.parent / "pyproject.toml").read_text()
    assert f'version = "{__version__}"' in text
    assert "\ndependencies = []\n" in text
    assert 'requires-python = ">=3.9"' in text
