"""status, runs, incidents, ack, pause, resume, watch: what people read, and what programs read."""

import json
import subprocess

import pytest
from cronhub import terminal

from tests.api.client import Api
from tests.cli.program import Tool, command, environment


@pytest.fixture
def crons(api: Api) -> list[str]:
    """One is down, one is up, one has not run yet."""
    ids = api.register(
        {"name": "backup", "schedule": "0 2 * * *", "tags": ["db"]},
        {"name": "report", "schedule": "0 3 * * *"},
        {"name": "tidy", "schedule": None},
    )
    api.heartbeat(ids[0], "fail", exit_code=3, message="no space\x1b[31m left\n", duration_ms=1500)
    api.heartbeat(ids[1], "success", duration_ms=65_000)
    return ids


def test_the_worst_cron_comes_first(tool: Tool, crons: list[str]) -> None:
    said = tool("status")

    heads, first, second, third = said.out.splitlines()
    assert heads.split() == ["STATUS", "CRON", "SCHEDULE", "LAST", "RUN", "TOOK", "NEXT", "WHY"]
    assert first.split()[:2] == ["down", "shop/nightly/backup"]
    assert "1.5 s" in first
    assert "failed for" in first
    assert second.split()[:2] == ["new", "shop/nightly/tidy"]
    assert "1 min 5 s" in third
    assert said.status == 0


def test_a_script_sees_by_the_exit_status_that_something_is_down(tool: Tool, crons: list[str]) -> None:
    assert tool("status", "--check").status == 1
    assert tool("status", "report", "--check").status == 0


def test_crons_are_filtered(tool: Tool, crons: list[str]) -> None:
    assert [cron["name"] for cron in tool.json("status", "--tag", "db")] == ["backup"]
    assert [cron["name"] for cron in tool.json("status", "tid")] == ["tidy"]
    assert tool("status", "nothing").out == "no crons\n"


def test_runs_are_listed_and_a_terminal_cannot_be_moved_by_them(tool: Tool, crons: list[str]) -> None:
    said = tool("runs", "backup")

    (_, row) = said.out.splitlines()
    assert row.split()[0] == "failed"
    assert row.endswith("no space [31m left")
    assert tool("runs", "nightly/backup", "--output").out == "no space\x1b[31m left\n\n"
    assert tool.json("runs", crons[0])[0]["exit_code"] == 3
    assert tool("runs", "backup", "--status", "success").out == "no runs\n"


def test_an_incident_is_acknowledged_by_its_cron_and_resolved_by_its_id(tool: Tool, crons: list[str]) -> None:
    (incident,) = tool.json("incidents")
    assert "shop/nightly/backup" in tool("incidents").out

    assert tool("ack", "backup", "--note", "on it", "--by", "Ada").out == "backup: failed acknowledged\n"
    assert tool.json("incidents")[0]["acknowledged_by"] == "Ada"

    assert tool("ack", incident["id"], "--resolve").out == "backup: failed resolved\n"
    assert tool("incidents").out == "no open incidents\n"
    assert tool.json("incidents", "--all", "--cron", "backup")[0]["resolution"] == "by_hand"
    assert tool("ack", "backup").err == "cronhub: backup has no open incident\n"


def test_crons_are_paused_all_or_none_and_resumed(tool: Tool, crons: list[str], api: Api) -> None:
    assert tool("pause", "report", "missing").err == "cronhub: no cron is called 'missing'\n"
    assert api.cron(crons[1])["status"] == "up"

    assert tool("pause", "report", "tidy").out == "shop/nightly/report: paused\nshop/nightly/tidy: paused\n"
    assert tool("resume", "report").out == "shop/nightly/report: up\n"


def test_a_name_that_two_crons_have_is_not_guessed(tool: Tool, crons: list[str], api: Api) -> None:
    api.register({"name": "backup", "schedule": None}, service="daily")

    assert "2 crons are called 'backup': shop/" in tool("runs", "backup").err
    assert tool("runs", "shop/nightly/backup").status == 0


def test_changes_are_watched_line_by_line(api: Api, tool: Tool, crons: list[str]) -> None:
    with subprocess.Popen(
        command("watch", "report", "--interval", "0.1s", "--json"), env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        api.heartbeat(crons[1], "fail")
        second = json.loads(process.stdout.readline())
        process.kill()

    assert (first["status"], first["was"]) == ("up", None)
    assert (second["status"], second["was"], second["last_run"]["status"]) == ("down", "up", "failed")


def test_a_watch_shows_one_table(tool: Tool, crons: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR")
    said = tool("watch", "--times", "1")

    assert said.out.startswith("\x1b[H\x1b[2J")
    assert "1 down, 1 new, 1 up" in said.out
    assert "\x1b[31mdown\x1b[0m" in said.out


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CRONHUB_API_KEY": "ch_wrong"}, "API key"),
        ({"CRONHUB_API_KEY": ""}, "this needs an API key"),
        ({"CRONHUB_URL": "ftp://x"}, "CRONHUB_URL must be an address"),
        ({"CRONHUB_URL": "http://127.0.0.1:9"}, "CronHub cannot be reached"),
    ],
)
def test_what_has_to_be_changed_is_said_in_a_line(
    tool: Tool, variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = tool("status")

    assert said.status in (1, 2, 75)
    assert words in said.err
    assert said.err.count("\n") == 1


def test_the_key_may_stand_in_a_file(
    tool: Tool, crons: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    import os
    from pathlib import Path

    key, url = os.environ["CRONHUB_API_KEY"], os.environ["CRONHUB_URL"]
    monkeypatch.delenv("CRONHUB_API_KEY")
    monkeypatch.delenv("CRONHUB_URL")
    Path(os.environ["CRONHUB_CONFIG"]).write_text(f"# ours\nurl = {url}/\napi_key = '{key}'\n")

    assert len(tool.json("status")) == 3


def test_a_wide_table_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    lines = terminal.table(("NAME", "OUTPUT"), [("日本", "x" * 100), ("ab", "short")])

    assert max(terminal.width_of(line) for line in lines) <= 40
    assert lines[2].index("short") == 6
    assert lines[1].endswith("…")


def test_the_overview_and_every_commands_help_are_there(tool: Tool) -> None:
    from cronhub.__main__ import COMMANDS, parser_of

    said = tool("--help")
    assert all(f"  {name} " in said.out for name in COMMANDS)
    for name in COMMANDS:
        assert parser_of(name).format_help().startswith(f"usage: cronhub {name}")
    assert "no command 'statsu'" in tool("statsu").err
