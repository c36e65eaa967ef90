"""`cronhub exec`: it reports a job, and the job does not notice."""

import os
import shlex
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.api.client import Api
from tests.cli.program import CRON_ID, FakeCronHub, command, environment, run
from tests.local.program import wait_for

JOB = ("exec", "--id", CRON_ID, "--")


def test_a_run_is_reported_at_its_start_and_at_its_end(fake: FakeCronHub) -> None:
    run(*JOB, "sh", "-c", "echo said; sleep 0.2; exit 3")

    start, finish = fake.calls
    assert (start.method, start.path) == ("POST", f"/api/start/{CRON_ID}")
    assert (finish.method, finish.path) == ("POST", f"/api/ping/{CRON_ID}")
    assert finish.query["rid"] == start.query["rid"]
    assert finish.query["exit_code"] == ["3"]
    assert finish.body == b"said\n"
    assert 200 <= int(finish.query["duration_ms"][0]) < 2000
    began, ended = (datetime.fromisoformat(finish.query[name][0]) for name in ("started_at", "finished_at"))
    assert 0.2 <= (ended - began).total_seconds() < 2


def test_the_reported_duration_is_the_jobs_to_the_millisecond(fake: FakeCronHub, tmp_path: Path) -> None:
    script = (
        "import time, sys; began = time.monotonic_ns(); time.sleep(0.15);"
        f"open({str(tmp_path / 'took')!r}, 'w').write(str((time.monotonic_ns() - began) // 1000000))"
    )
    run(*JOB, sys.executable, "-S", "-E", "-c", script)

    took, told = int((tmp_path / "took").read_text()), int(fake.calls[-1].query["duration_ms"][0])
    # The interpreter's own start comes before it measures.
    assert took <= told <= took + 300


@pytest.mark.parametrize("status", [0, 1, 3, 126, 255])
def test_the_exit_status_is_the_jobs(fake: FakeCronHub, status: int) -> None:
    done = run(*JOB, "sh", "-c", f"exit {status}")

    assert done.returncode == status
    assert fake.calls[-1].query["exit_code"] == [str(status)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGHUP])
def test_a_job_that_dies_of_a_signal_is_reported_and_died_of(fake: FakeCronHub, number: int) -> None:
    done = run(*JOB, "sh", "-c", f"kill -{number} $$")

    assert done.returncode == -number
    assert fake.calls[-1].query["exit_code"] == [str(128 + number)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_job_which_may_answer_it(fake: FakeCronHub, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    job = f"trap 'echo caught; exit 7' {name}; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        command(*JOB, "sh", "-c", job),
        env=environment(),
        stdout=subprocess.PIPE,
        start_new_session=True,
        # Tests that a shell began in the background inherit that interrupts are ignored.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        rest = process.stdout.read()

    assert (rest, process.returncode) == (b"caught\n", 7)
    assert fake.calls[-1].body == b"ready\ncaught\n"


def test_what_nohup_ignores_stays_ignored(fake: FakeCronHub) -> None:
    with subprocess.Popen(
        ["nohup", *command(*JOB, "sh", "-c", "echo ready; sleep 0.3; echo done")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.stdout.read() == b"done\n"

    assert process.returncode == 0


def test_a_missing_command_is_127_and_one_that_is_no_program_126(fake: FakeCronHub, tmp_path: Path) -> None:
    missing, folder = run(*JOB, "/no/such/command"), run(*JOB, str(tmp_path))

    assert (missing.returncode, folder.returncode) == (127, 126)
    assert missing.stderr == b"cronhub: /no/such/command: not found\n"
    assert [call.query["exit_code"] for call in fake.told("ping")] == [["127"], ["126"]]


def test_arguments_output_errors_and_input_pass_through_unchanged(fake: FakeCronHub) -> None:
    job = 'printf "%s|" "$@"; cat; printf "\\377\\000bad" >&2; pwd'
    done = run(
        *JOB, "sh", "-c", job, "sh", "two words", "", "*", "$HOME", "--json",
        input=b"from stdin\n", stdin=None, cwd="/",
    )  # fmt: skip

    assert done.stdout == b"two words||*|$HOME|--json|from stdin\n/\n"
    assert done.stderr == b"\xff\x00bad"


def test_output_that_goes_to_one_place_keeps_its_order(fake: FakeCronHub) -> None:
    job = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    done = run(*JOB, "sh", "-c", job, capture_output=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    assert done.stdout == b"".join(b"out %d\nerr %d\n" % (i, i) for i in range(1, 10))
    assert fake.calls[-1].body == done.stdout


def test_output_arrives_as_it_is_made(fake: FakeCronHub) -> None:
    with subprocess.Popen(
        command(*JOB, "sh", "-c", "echo first; read line; echo $line"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"first\n"
        process.stdin.write(b"second\n")
        process.stdin.close()
        assert process.stdout.readline() == b"second\n"


def test_a_hundred_megabytes_pass_through_in_flat_memory(fake: FakeCronHub, tmp_path: Path) -> None:
    sizes = {}
    for megabytes in (1, 100):
        with (tmp_path / "out").open("wb") as sink:
            job = ("head", "-c", f"{megabytes}M", "/dev/zero")
            meter = (
                "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
            )
            done = subprocess.run(
                [sys.executable, "-c", meter, *command(*JOB, *job)],
                env=environment(), stdout=sink, stderr=subprocess.PIPE, check=True, timeout=60,
            )  # fmt: skip
        sizes[megabytes] = int(done.stderr)
        assert (tmp_path / "out").stat().st_size == megabytes * 1024 * 1024

    assert sizes[100] < sizes[1] + 2048
    assert len(fake.calls[-1].body) <= 10 * 1024


def test_of_a_long_output_the_beginning_and_the_end_are_reported(fake: FakeCronHub) -> None:
    done = run(*JOB, "seq", "100000")

    told = fake.calls[-1].body.decode()
    assert len(done.stdout) == 588895
    assert told.startswith("1\n2\n3\n")
    assert told.endswith("\n99999\n100000\n")
    assert "bytes were cut" in told
    assert len(told.encode()) <= 10 * 1024


def test_a_reader_that_goes_away_is_noticed_by_the_job(fake: FakeCronHub) -> None:
    job = "yes; echo $? >&2"
    line = f"{shlex.join(command(*JOB))} sh -c '{job}' | head -n 1"
    done = subprocess.run(["sh", "-c", line], env=environment(), capture_output=True, timeout=30, check=False)

    assert done.stdout == b"y\n"
    assert done.stderr.strip() == b"141"


def test_without_output_nothing_is_read_or_reported(fake: FakeCronHub) -> None:
    done = run("exec", "--id", CRON_ID, "--no-output", "--", "echo", "secret")

    assert done.stdout == b"secret\n"
    assert fake.calls[-1].body == b""


def test_a_lock_that_the_job_was_given_stays_its_own(fake: FakeCronHub, tmp_path: Path) -> None:
    file = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    done = run(*JOB, "sh", "-c", f"echo kept >/dev/fd/{file}", pass_fds=(file,))
    os.close(file)

    assert done.returncode == 0
    assert (tmp_path / "lock").read_text() == "kept\n"


def test_what_a_job_leaves_running_holds_up_nobody_and_may_go_on_writing(
    fake: FakeCronHub, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("wb") as sink:
        job = "(sleep 3; echo later) & echo now"
        done = run(*JOB, "sh", "-c", job, capture_output=False, stdout=sink, stderr=subprocess.DEVNULL)
    assert done.returncode == 0
    assert (tmp_path / "out").read_bytes() == b"now\n"
    assert fake.calls[-1].body == b"now\n"
    wait_for(lambda: (tmp_path / "out").read_bytes() == b"now\nlater\n", 20)


def test_a_time_limit_ends_the_job_and_what_it_started(fake: FakeCronHub) -> None:
    began = time.monotonic()
    done = run("exec", "--id", CRON_ID, "--timeout", "0.3s", "--", "sh", "-c", "echo begun; sleep 30; true")

    assert done.returncode == 124
    assert time.monotonic() - began < 5
    assert fake.calls[-1].query["exit_code"] == ["124"]
    assert fake.calls[-1].body == b"begun\n\nended after its time limit of 0.3 s"


def test_a_job_that_ignores_its_end_is_killed_after_the_grace(fake: FakeCronHub) -> None:
    job = "trap '' TERM; while :; do sleep 0.05; done"
    done = run("exec", "--id", CRON_ID, "--timeout", "0.2", "--grace", "0.2", "--", "sh", "-c", job)

    assert done.returncode == 124


def test_the_shell_of_the_environment_runs_one_text(fake: FakeCronHub) -> None:
    done = run("exec", "--id", CRON_ID, "--shell", "--", "echo a | tr a b", variables={"SHELL": "/bin/sh"})

    assert done.stdout == b"b\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--id", CRON_ID),
        ("--cron", "a", "--id", "b", "--", "true"),
        ("--id", CRON_ID, "--timeout", "soon", "--", "true"),
        ("--id", CRON_ID, "--schedule", "@daily", "--", "true"),
    ],
)
def test_a_wrong_call_says_so_in_a_line_or_two_and_runs_nothing(
    fake: FakeCronHub, arguments: tuple[str, ...]
) -> None:
    done = run("exec", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(b"cronhub")
    assert b"Traceback" not in done.stderr
    assert fake.calls == []


# -- CronHub is not well


def waiting(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "state" / "spool").glob("*.json"))


def test_while_cronhub_is_away_the_job_runs_at_once_and_its_report_is_kept(nowhere: int, tmp_path: Path) -> None:
    done = run(
        *JOB,
        "sh",
        "-c",
        "echo said; exit 3",
        variables={"CRONHUB_START_BUDGET": "0.2", "CRONHUB_FINISH_BUDGET": "0.2"},
    )

    assert (done.returncode, done.stdout, done.stderr) == (3, b"said\n", b"")
    assert len(waiting(tmp_path)) == 1
    assert waiting(tmp_path)[0].stat().st_mode & 0o077 == 0


def test_what_was_kept_is_sent_later_with_its_true_times(
    nowhere: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    quick = {"CRONHUB_START_BUDGET": "0.1", "CRONHUB_FINISH_BUDGET": "0.1"}
    for status in (1, 0):
        run(*JOB, "sh", "-c", f"echo {status}; exit {status}", variables=quick)
    fake: FakeCronHub = request.getfixturevalue("fake")
    for path in waiting(tmp_path):
        path.write_text(path.read_text().replace(f"http://127.0.0.1:{nowhere}", fake.url))
    time.sleep(1)

    done = run("flush")

    assert done.stdout == b"2 sent, 0 waiting\n"
    assert [call.body for call in fake.calls] == [b"1\n", b"0\n"]
    ended = [datetime.fromisoformat(call.query["finished_at"][0]).timestamp() for call in fake.calls]
    assert ended == sorted(ended)
    assert ended[1] < fake.calls[0].at - 1
    assert waiting(tmp_path) == []


def test_the_next_run_sends_what_was_kept(nowhere: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    quick = {"CRONHUB_START_BUDGET": "0.1", "CRONHUB_FINISH_BUDGET": "0.1"}
    run(*JOB, "echo", "kept", variables=quick)
    fake: FakeCronHub = request.getfixturevalue("fake")
    for path in waiting(tmp_path):
        path.write_text(path.read_text().replace(f"http://127.0.0.1:{nowhere}", fake.url))

    run(*JOB, "echo", "new", variables={"CRONHUB_BACKGROUND": "on"})

    wait_for(lambda: waiting(tmp_path) == [], 10)
    assert [call.body for call in fake.told("ping")] == [b"new\n", b"kept\n"]


def test_a_damaged_report_is_dropped_and_stops_nothing(fake: FakeCronHub, tmp_path: Path) -> None:
    place = tmp_path / "state" / "spool"
    place.mkdir(parents=True)
    (place / "1.json").write_text("{")
    (place / "2.json").write_text('{"url": 7}')

    assert run("flush").stdout == b"0 sent, 0 waiting\n"
    assert waiting(tmp_path) == []


def test_a_cronhub_that_hangs_holds_up_the_job_for_a_bounded_moment(fake: FakeCronHub, tmp_path: Path) -> None:
    fake.delay = 30
    began = time.monotonic()
    done = run(*JOB, "echo", "ran", variables={"CRONHUB_START_BUDGET": "0.5", "CRONHUB_FINISH_BUDGET": "0.5"})

    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert time.monotonic() - began < 5
    assert len(waiting(tmp_path)) == 1


def test_a_start_that_failed_is_tried_again_and_so_is_an_end(fake: FakeCronHub) -> None:
    fake.refusals = [503, 200, 500, 429, 200]
    done = run(*JOB, "sleep", "1.5")

    assert done.returncode == 0
    assert len(fake.told("start")) == 2
    assert len(fake.told("ping")) == 3


def test_a_cron_that_cronhub_does_not_know_is_named_and_the_job_runs(fake: FakeCronHub) -> None:
    fake.refusals = [404]
    done = run(*JOB, "echo", "ran")

    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert done.stderr == b"cronhub: the command runs unwatched: status 404\n"
    assert fake.told("ping") == []


def test_a_wrong_address_is_named_and_the_job_runs(fake: FakeCronHub) -> None:
    done = run(*JOB, "echo", "ran", variables={"CRONHUB_URL": "example.com"})

    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"CRONHUB_URL must be an address" in done.stderr


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(nowhere: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    quick = {
        "CRONHUB_START_BUDGET": "0.1",
        "CRONHUB_FINISH_BUDGET": "0.1",
        "CRONHUB_STATE": str(tmp_path / "file"),
    }
    done = run(*JOB, "echo", "ran", variables=quick)

    assert (done.returncode, done.stdout) == (0, b"ran\n")


def test_many_jobs_at_once_are_all_reported(fake: FakeCronHub) -> None:
    processes = [
        subprocess.Popen(command(*JOB, "sh", "-c", f"exit {number % 3}"), env=environment()) for number in range(8)
    ]

    assert [process.wait(60) for process in processes] == [number % 3 for number in range(8)]
    assert len(fake.told("start")) == len(fake.told("ping")) == 8
    assert len({call.query["rid"][0] for call in fake.told("start")}) == 8


# -- with the real CronHub


@pytest.fixture
def watched(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    assert api.key
    monkeypatch.setenv("CRONHUB_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("CRONHUB_API_KEY", api.key)
    return api.new_cron("0 2 * * *")


def test_cronhub_records_the_run(api: Api, watched: str) -> None:
    run("exec", "--cron", "nightly/backup", "--", "sh", "-c", "echo no space left; exit 3")

    (found,) = api.runs(watched)
    assert (found["status"], found["exit_code"], found["message"]) == ("failed", 3, "no space left\n")
    assert found["run_id"]


def test_a_cron_is_registered_by_its_name_and_schedule(api: Api, watched: str) -> None:
    for _ in range(2):
        assert run("exec", "--cron", "a/b/c", "--schedule", "@hourly", "--", "true").stderr == b""

    (cron,) = api.get("/api/crons", product="a").json["crons"]
    assert (cron["service"], cron["name"], cron["schedule"]) == ("b", "c", "@hourly")
    assert len(api.runs(cron["id"])) == 2


def test_a_name_that_is_remembered_and_stands_for_another_cron_now_is_looked_up_again(
    api: Api, watched: str
) -> None:
    run("exec", "--cron", "backup", "--", "true")
    api.delete(f"/api/crons/{watched}")
    other = api.new_cron("0 3 * * *")
    run("exec", "--cron", "backup", "--", "true")

    assert len(api.runs(other)) == 1


def test_without_a_key_the_id_is_enough_and_the_times_are_the_jobs(api: Api, watched: str) -> None:
    run("exec", "--id", watched, "--", "sh", "-c", "echo said", variables={"CRONHUB_API_KEY": ""})

    (found,) = api.runs(watched)
    assert (found["status"], found["message"]) == ("success", "said\n")


@pytest.fixture
def dependant(api: Api, watched: str) -> str:
    """It waits for `backup`, which has not run yet."""
    dependant = api.register({"name": "report", "schedule": "0 3 * * *"})[0]
    api.heartbeat(watched, "fail")
    assert api.post(f"/api/crons/{dependant}/dependencies", {"depends_on_id": watched}).status == 201
    return dependant


def test_a_job_whose_dependency_is_not_completed_does_not_run(api: Api, dependant: str, tmp_path: Path) -> None:
    done = run("exec", "--id", dependant, "--", "touch", str(tmp_path / "ran"))

    assert done.returncode == 75
    assert done.stderr.startswith(b"cronhub: not run: it waits for backup (")
    assert not (tmp_path / "ran").exists()
    assert [one["status"] for one in api.runs(dependant)] == ["blocked"]


def test_without_a_key_it_does_not_run_either(api: Api, dependant: str, tmp_path: Path) -> None:
    done = run("exec", "--id", dependant, "--", "touch", str(tmp_path / "ran"), variables={"CRONHUB_API_KEY": ""})

    assert done.returncode == 75
    assert not (tmp_path / "ran").exists()


def test_it_runs_all_the_same_if_that_is_wished(api: Api, dependant: str) -> None:
    assert run("exec", "--id", dependant, "--ignore-blocked", "--", "sh", "-c", "exit 4").returncode == 4
    assert "failed" in [one["status"] for one in api.runs(dependant)]


def test_it_waits_until_its_dependency_is_completed(api: Api, watched: str, dependant: str) -> None:
    with subprocess.Popen(
        command("exec", "--id", dependant, "--wait", "--verbose", "--", "echo", "ran"),
        env=environment(CRONHUB_FIRST_LOOK="0.3"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"cronhub: waits for backup")
        api.heartbeat(watched, "success")
        out, _ = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, b"ran\n")
    assert "success" in [one["status"] for one in api.runs(dependant)]


def test_it_waits_no_longer_than_it_may(api: Api, dependant: str) -> None:
    assert run("exec", "--id", dependant, "--wait-at-most", "0.5s", "--", "true").returncode == 75


@pytest.mark.parametrize("refusals", [[], [503]])
def test_a_proxy_of_the_environment_is_used(fake: FakeCronHub, refusals: list[int]) -> None:
    fake.refusals = refusals
    variables = {"CRONHUB_URL": "http://cronhub.example.com/base", "http_proxy": fake.url, "no_proxy": ""}
    done = run(*JOB, "sh", "-c", "echo said; exit 3", variables=variables)

    assert done.returncode == 3
    assert fake.calls[-1].path == f"/base/api/ping/{CRON_ID}"
    assert fake.calls[-1].query["exit_code"] == ["3"]
    assert fake.calls[-1].body == b"said\n"


def test_a_cronhub_that_has_moved_is_named_and_not_followed(fake: FakeCronHub) -> None:
    fake.refusals = [301, 301]
    done = run(*JOB, "true")

    assert done.returncode == 0
    moved = f"{fake.url.removeprefix('http://')} has moved to elsewhere: set CRONHUB_URL to the new address"
    assert done.stderr.decode() == f"cronhub: the command runs unwatched: {moved}\n"
    assert len(fake.calls) == 2
