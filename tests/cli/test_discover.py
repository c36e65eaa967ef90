"""`cronhub discover`: what is found is shown, registered and rewritten, again and again without harm."""

import os
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cronhub.discover import calendar, crontab, rewriting, systemd
from cronhub.discover.job import Job, Unclear
from cronhub.settings import Settings

from chalicelib.domain.schedule.schedule import Interval, parse_schedule
from tests.api.client import Api
from tests.cli.program import CRON_ID, FakeCronHub, Tool, environment

CRONTAB = """\
MAILTO=ops@example.com
# nightly
30 2 * * * /opt/backup --all
0 9 * * 1 mail -s "It's \\% done" boss%Dear boss,%bye
61 * * * * /opt/never
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "jobs"
    path.write_text(CRONTAB)
    path.chmod(0o640)
    return path


def test_what_is_not_watched_is_shown_and_nothing_is_changed(tool: Tool, table: Path, api: Api) -> None:
    said = tool("discover", str(table), "--check")

    assert said.status == 1
    assert "no       cron/" in said.out
    assert "minute: 61 is not within 0-59: 61 * * * * /opt/never" in said.out
    assert "2 are not watched: --register registers them" in said.out
    assert table.read_text() == CRONTAB
    assert api.get("/api/crons").json["crons"] == []


def test_without_a_key_it_shows_what_it_finds(tool: Tool, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRONHUB_API_KEY")

    assert tool("discover", "crontab", str(table)).status == 0
    assert "needs an API key" in tool("discover", str(table), "--register").err


def test_registering_again_changes_nothing(tool: Tool, table: Path, api: Api) -> None:
    options = ("discover", str(table), "--register", "--service", "web-1", "--timezone", "Europe/Paris")
    first, second = tool.json(*options), tool.json(*options)

    assert [job["result"] for job in first["jobs"]] == ["created", "created"]
    assert [job["result"] for job in second["jobs"]] == ["unchanged", "unchanged"]
    assert [job["id"] for job in first["jobs"]] == [job["id"] for job in second["jobs"]]
    (backup, _) = sorted(api.get("/api/crons").json["crons"], key=lambda cron: str(cron["name"]))
    assert (backup["product"], backup["service"], backup["name"]) == ("cron", "web-1", "backup")
    assert (backup["schedule"], backup["timezone"]) == ("30 2 * * *", "Europe/Paris")
    assert backup["description"] == f"{table}:3: /opt/backup --all"


def test_a_crontab_is_rewritten_after_a_diff_with_a_backup_and_only_once(
    tool: Tool, table: Path, api: Api, tmp_path: Path
) -> None:
    said = tool("discover", str(table), "--rewrite", "--yes", "--service", "web-1")

    (backup_id,) = [cron["id"] for cron in api.get("/api/crons").json["crons"] if cron["name"] == "backup"]
    changed = table.read_text()
    assert f"exec --id {backup_id} --url {os.environ['CRONHUB_URL']} -- /opt/backup --all\n" in changed
    assert "-30 2 * * * /opt/backup --all" in said.out
    assert changed.splitlines()[:2] == CRONTAB.splitlines()[:2]
    assert changed.splitlines()[4] == CRONTAB.splitlines()[4]
    assert table.stat().st_mode & 0o777 == 0o640
    (kept,) = (tmp_path / "state" / "backups").iterdir()
    assert kept.read_text() == CRONTAB

    again = tool("discover", str(table), "--rewrite", "--yes", "--service", "web-1")
    assert table.read_text() == changed
    assert len(list((tmp_path / "state" / "backups").iterdir())) == 1
    assert again.out.count("yes      ") == 2


def test_without_a_terminal_or_a_yes_no_crontab_is_changed(tool: Tool, table: Path) -> None:
    said = tool("discover", str(table), "--rewrite")

    assert said.status == 2
    assert "say --yes" in said.err
    assert table.read_text() == CRONTAB


def test_a_rewritten_line_that_gets_another_time_is_followed(tool: Tool, table: Path, api: Api) -> None:
    tool("discover", str(table), "--rewrite", "--yes", "--service", "web-1", "--timezone", "UTC")
    table.write_text(table.read_text().replace("30 2 * * *", "45 2 * * *"))
    tool("discover", str(table), "--register", "--service", "web-1", "--timezone", "UTC")

    assert {cron["schedule"] for cron in api.get("/api/crons").json["crons"]} == {"45 2 * * *", "0 9 * * 1"}


def test_a_crontab_that_somebody_else_changes_meanwhile_is_left_alone(table: Path) -> None:
    change = rewriting.Change(crontab.read_file(table, has_users=False), "new\n")
    table.write_text("other\n")

    with pytest.raises(Exception, match="was changed meanwhile"):
        rewriting.apply(change)
    assert table.read_text() == "other\n"


def test_the_crontab_of_the_user_is_read_and_written_by_crons_own_tool(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(CRONTAB)
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\ncase $1 in -l) cat {kept};; -) cat > {kept}.new && mv {kept}.new {kept};; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(crontab, "on_machine", lambda: iter(()))

    tool("discover", "crontab", "--rewrite", "--yes", "--service", "web-1")

    assert "exec --id" in kept.read_text()
    assert kept.read_text().startswith("MAILTO=ops@example.com\n# nightly\n")


def test_what_cronhub_refuses_is_named_and_the_rest_is_registered(tool: Tool, table: Path, api: Api) -> None:
    table.write_text("CRON_TZ=Mars/Olympus\n0 1 * * * /opt/one\nCRON_TZ=UTC\n0 2 * * * /opt/two\n")
    said = tool("discover", str(table), "--register", "--service", "web-1")

    assert "refused: cron/web-1/one: timezone:" in said.out
    assert [cron["name"] for cron in api.get("/api/crons").json["crons"]] == ["two"]


def test_files_of_every_kind_are_told_apart(tool: Tool) -> None:
    corpus = Path(__file__).parent / "corpus"
    files = [
        corpus / name
        for name in ("timers/backup.timer", "workflows/nightly.yml", "manifests/list.json", "crontabs/web-shop")
    ]
    found = tool.json("discover", *map(str, files))["jobs"]

    assert {job["kind"] for job in found} == {"systemd", "github", "kubernetes", "crontab"}


def test_everything_found_in_the_corpus_is_taken_by_cronhub(tool: Tool, api: Api) -> None:
    corpus = Path(__file__).parent / "corpus"
    files = [path for path in corpus.glob("*/*") if path.is_file() and path.suffix not in (".txt", ".service")]
    found = tool.json("discover", *map(str, files), "--register", "--timezone", "UTC")

    assert [job["name"] for job in found["jobs"] if job["refused"]] == []
    assert len(found["jobs"]) > 130
    again = tool.json("discover", *map(str, files), "--register", "--timezone", "UTC")
    assert {job["result"] for job in again["jobs"]} == {"unchanged", None}


# -- a rewritten line does what it did


LINES = [
    "echo plain words",
    "echo 'single' \"double $HOME\" it\\'s",
    "printf '[\\%s]' a \"b c\" | tr a-z A-Z; exit 3",
    "cat%first line%second \\% line",
    "FOO='x y' sh -c 'echo $FOO'",
    "cd / && pwd; (exit 4)",
    "echo out; echo err >&2",
    "date +\\%Y > /dev/null && echo \\%",
    "exit 5 # a comment",
    "echo \\\\ \\$HOME `echo sub` $((1 + 2)) *nothing*",
    "true && ! false",
    "[ -x /bin/sh ] && echo yes",
]


@pytest.mark.parametrize("line", LINES)
def test_a_rewritten_line_does_what_it_did(fake: FakeCronHub, line: str) -> None:
    written = f"0 1 * * * {line}"
    (job,) = crontab.jobs_of(crontab.Crontab("x", written + "\n", has_users=False))
    assert isinstance(job, Job)
    exec_command = crontab.shell_words([sys.executable, "-m", "cronhub", "exec", "--id", CRON_ID])
    rewritten = crontab.wrapped(job, exec_command)
    assert rewritten.startswith("0 1 * * * ")

    before, after = as_cron_runs(line), as_cron_runs(rewritten.removeprefix("0 1 * * * "))

    assert (after.returncode, after.stdout, after.stderr) == (before.returncode, before.stdout, before.stderr)
    assert fake.told("ping")[-1].query["exit_code"] == [str(before.returncode)]


def as_cron_runs(command: str) -> "subprocess.CompletedProcess[bytes]":
    """As Debian's cron does: the first % that has no backslash begins the input, others are newlines there."""
    text, given, in_input, escaped = "", "", False, False
    for letter in command:
        if escaped:
            escaped = False
            part = letter if letter == "%" else "\\" + letter
        elif letter == "\\":
            escaped = True
            continue
        elif letter == "%":
            if in_input:
                given += "\n"
            in_input = True
            continue
        else:
            part = letter
        text, given = (text, given + part) if in_input else (text + part, given)
    if escaped:
        text += "\\"
    return subprocess.run(
        ["/bin/sh", "-c", text], input=(given + "\n").encode() if in_input else b"", capture_output=True,
        env=environment(SHELL="/bin/sh"), check=False, timeout=60,
    )  # fmt: skip


def test_a_system_line_keeps_its_user() -> None:
    (job,) = crontab.jobs_of(crontab.Crontab("x", "0 1\t* * *\troot  /opt/x --y\n", has_users=True))
    assert isinstance(job, Job)

    assert crontab.wrapped(job, "cronhub exec --id I") == "0 1\t* * *\troot  cronhub exec --id I -- /opt/x --y"


def test_the_commands_words_are_quoted_for_cron() -> None:
    settings = Settings("https://cron.example.com", None)

    assert rewriting.exec_command(CRON_ID, settings).endswith(
        f"exec --id {CRON_ID} --url https://cron.example.com"
    )
    assert shlex.split(crontab.shell_words(["a b", "50%"]).replace("\\%", "%")) == ["a b", "50%"]


# -- a machine


def test_a_machine_is_read_as_its_cron_and_systemd_read_it(tmp_path: Path) -> None:
    for name, text in {
        "etc/crontab": "5 * * * * root cd / && run-parts --report /etc/cron.hourly\n",
        "etc/cron.d/good": "0 1 * * * app /opt/good\n",
        "etc/cron.d/not.read": "0 1 * * * app /opt/bad\n",
        "etc/cron.hourly/clean": "#!/bin/sh\n",
        "etc/cron.daily/plain": "#!/bin/sh\n",
        "etc/cron.daily/script.sh": "#!/bin/sh\n",
        "var/spool/cron/crontabs/ada": "0 2 * * * /home/ada/x\n",
        "etc/systemd/system/a.timer": "[Timer]\nOnCalendar=daily\n",
        "usr/lib/systemd/system/a.timer": "[Timer]\nOnCalendar=hourly\n",
        "usr/lib/systemd/system/b.timer": "[Timer]\nOnCalendar=hourly\n",
        "usr/lib/systemd/system/t@.timer": "[Timer]\nOnCalendar=hourly\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("etc/cron.hourly/clean", "etc/cron.daily/script.sh"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "etc/systemd/system/b.timer").symlink_to("/dev/null")

    found = [*crontab.on_machine(tmp_path), *systemd.on_machine(tmp_path)]

    jobs = {one.name: one.schedule for one in found if isinstance(one, Job)}
    assert jobs == {
        "cron.hourly": "5 * * * *",
        "good-app": "0 1 * * *",
        "x": "0 2 * * *",
        "clean-hourly": "5 * * * *",
        "a": "daily",
    }
    why = {Path(one.place.file).name: one.why for one in found if isinstance(one, Unclear)}
    assert why == {
        "not.read": "cron reads no file of this name in /etc/cron.d",
        "plain": "it is not executable, so it is not run",
        "script.sh": "run-parts runs no file of this name",
    }


def test_the_machines_time_zone_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert crontab.machine_timezone(tmp_path) == "UTC"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/timezone").write_text("Europe/Berlin\n")
    assert crontab.machine_timezone(tmp_path) == "Europe/Berlin"
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert crontab.machine_timezone(tmp_path) == "Asia/Tokyo"
    monkeypatch.setenv("TZ", ":America/New_York")
    assert crontab.machine_timezone(tmp_path) == "America/New_York"


# -- timers


@pytest.mark.parametrize(
    ("texts", "merged"),
    [
        (["06:00", "*-*-* 18:00:00"], " *-*-* 6,18:0:0"),
        (["Mon 08:00", "Fri 08:00"], "Mon,Fri *-*-* 8:0:0"),
        (["Mon..Fri 9..11:30", "Mon..Fri 17:30"], "Mon..Fri *-*-* 9..11,17:30:0"),
        (["daily", "12:00 UTC"], None),
        (["daily", "*-*-* 12:00"], " *-*-* 0,12:0:0"),
        (["*-*-01 03:00", "*-*-15 03:00"], " *-*-1,15 3:0:0"),
        (["daily", "*-*-* 0:00:00"], "daily"),
        (["Mon 08:00", "Fri 17:00"], None),
        (["Mon 08:00", "08:00"], None),
        (["*-*-01 03:00", "*-*~01 03:00"], None),
        (["*:0/45", "*:20"], None),
        (["08:00 Europe/Paris", "20:00 Europe/Paris"], " *-*-* 8,20:0:0"),
    ],
)
def test_schedules_of_a_timer_that_differ_in_one_part_are_one(texts: list[str], merged: str | None) -> None:
    found = calendar.merged(texts)

    assert (found and found.text) == (merged and merged.strip())
    if found is None:
        return
    each = [parse_schedule(text, "UTC") for text in texts]
    whole = parse_schedule(" ".join(filter(None, found)), "UTC")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    until = start + timedelta(days=60)
    expected = {at for one in each if not isinstance(one, Interval) for at in one.between(start, until, 1000)}
    assert not isinstance(whole, Interval)
    assert whole.between(start, until, 1000) == sorted(expected)


def timer_in(folder: Path) -> Path:
    (folder / "backup.service").write_text("[Service]\nExecStart=/opt/backup --all\n")
    timer = folder / "backup.timer"
    timer.write_text("[Timer]\nOnCalendar=*-*-* 02:00\nOnCalendar=*-*-* 14:00\n")
    return timer


def test_the_service_of_a_timer_gets_a_drop_in_that_reports_it(tool: Tool, api: Api, tmp_path: Path) -> None:
    timer = timer_in(tmp_path)

    said = tool("discover", str(timer), "--rewrite", "--yes", "--service", "web-1", "--timezone", "UTC")

    [cron] = api.get("/api/crons").json["crons"]
    assert (cron["name"], cron["schedule"]) == ("backup", "*-*-* 2,14:0:0")
    drop_in = tmp_path / "backup.service.d" / "cronhub.conf"
    text = drop_in.read_text()
    assert f"systemd start --id {cron['id']}" in text
    assert f"systemd stop --id {cron['id']}" in text
    assert f"+++ {drop_in}" in said.out
    assert "systemctl daemon-reload" in said.out
    assert timer.parent.joinpath("backup.service").read_text() == "[Service]\nExecStart=/opt/backup --all\n"

    again = tool("discover", str(timer), "--rewrite", "--yes", "--service", "web-1", "--timezone", "UTC")

    assert "+++" not in again.out
    assert drop_in.read_text() == text
    assert tool.json("discover", str(timer))["jobs"][0]["watched"] is True


def test_a_drop_in_of_somebody_elses_is_left_alone_and_nothing_is_written_unasked(
    tool: Tool, api: Api, tmp_path: Path
) -> None:
    timer = timer_in(tmp_path)
    folder = tmp_path / "backup.service.d"

    said = tool("discover", str(timer), "--rewrite")
    assert (said.status, folder.exists()) == (2, False)

    folder.mkdir()
    (folder / "cronhub.conf").write_text("[Service]\nNice=5\n")
    said = tool("discover", str(timer), "--rewrite", "--yes")
    assert said.status == 2
    assert "is there already" in said.err
    assert (folder / "cronhub.conf").read_text() == "[Service]\nNice=5\n"
    assert [path.name for path in folder.iterdir()] == ["cronhub.conf"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_drop_in_of_a_timer(tool: Tool, api: Api, tmp_path: Path) -> None:
    tool("discover", str(timer_in(tmp_path)), "--rewrite", "--yes")

    verify = ["systemd-analyze", "verify", str(tmp_path / "backup.service")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)

    # It names what is wrong with a drop-in; the job's own program is not there.
    assert "cronhub" not in done.stderr
