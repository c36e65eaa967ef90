"""Every line of the documentation is run as a reader runs it: pasted into a shell, against the running service."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from app import app
from chalicelib.api import examples
from chalicelib.api.pages.docs import code, guides
from chalicelib.api.pages.docs.blocks import Code
from chalicelib.domain.language import Language
from chalicelib.services.tick import run_minute
from tests.api.client import Api, Clock
from tests.api.test_openapi import real_ids
from tests.channels.mailbox import Mailbox, mailbox
from tests.local.serving import serving

LANGUAGES = ("en", "fr")
ROOT = Path(__file__).parents[2]
#: What each field at the top of the page is filled with: what stands for this example of the OpenAPI document.
_OF_EXAMPLES = {
    **{name: example for name, example in examples.PATHS.items() if name.endswith(("_id", "_file"))},
    "cron": examples.CRON,
    "other_id": examples.OTHER_CRON,
    "token": examples.TOKEN,
}


class Lines(HTMLParser):
    """The code of a page, with the reader's own values in its slots, as the page's script puts them there."""

    def __init__(self, text: str, values: dict[str, str]) -> None:
        super().__init__()
        self.found: list[str] = []
        self._values = values
        self._in_pre = self._in_slot = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        slot = dict(attrs).get("data-slot")
        if tag == "pre":
            self._in_pre = True
            self.found.append("")
        elif self._in_pre and slot:
            self._in_slot = True
            self.found[-1] += self._values[slot]

    def handle_endtag(self, tag: str) -> None:
        self._in_pre = self._in_pre and tag != "pre"
        self._in_slot = False

    def handle_data(self, data: str) -> None:
        if self._in_pre and not self._in_slot:
            self.found[-1] += data


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as one:
        yield one


@pytest.fixture
def base(api: Api) -> Iterator[str]:
    with serving(app) as port:
        yield f"http://localhost:{port}"


def in_a_shell(line: str) -> tuple[int, str]:
    """The status and the body that curl gets."""
    asked = line.replace("curl ", "curl -sS -o - -w '\\n%{http_code}' ", 1)
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=30, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def values(api: Api, base: str) -> dict[str, str]:
    ids = real_ids(api)
    found = {slot: ids[example] for slot, example in _OF_EXAMPLES.items() if example in ids}
    return {**found, "base": base, "key": str(api.key), "slug": "mon-org"}


def test_the_quick_start_works_from_the_first_line_to_the_last(api: Api, base: str) -> None:
    found = {"base": base, "key": "ch_xxx", "slug": "acme", "cron": "ID", "other_id": "OTHER_ID"}
    answers = []
    for place in range(4):
        page = api.get("/docs", key=None).text.partition('id="quick-start"')[2].partition("</section>")[0]
        status, body = in_a_shell(Lines(page, found).found[place])
        assert status in (200, 201), body
        answers.append(json.loads(body))
        found["key"] = answers[-1].get("key", found["key"])
        found["cron"] = answers[-1]["crons"][0]["id"] if "crons" in answers[-1] else found["cron"]

    assert answers[-1]["run"]["status"] == "success"
    assert answers[-1]["status"] == "up"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_line_of_the_reference_works(api: Api, base: str, box: Mailbox, clock: Clock, lang: str) -> None:
    reference = api.get("/docs", key=None, lang=lang).text.partition('id="first-steps"')[2]
    proposed = _cron_whose_runs_show_a_schedule(api, clock)
    run_minute(clock.now)
    given = values(api, base)
    lines = [line for line in Lines(reference, given).found if line.startswith("curl ")]
    wrong = []
    for line in sorted(lines, key=_turn):
        with_one = re.sub(r"/crons/[\w-]+/accept-schedule", f"/crons/{proposed}/accept-schedule", line)
        status, body = in_a_shell(_prepared(api, box, with_one))
        if not 200 <= status < 300:
            wrong.append((line, status, body))

    assert len(lines) > 50
    assert wrong == []


def _cron_whose_runs_show_a_schedule(api: Api, clock: Clock) -> str:
    for _ in range(10):
        api.get(f"/ping/{api.key}/sync?create=1", key=None)
        clock.pass_by(minutes=10)
    return str(api.get("/api/crons").json["crons"][0]["id"])


def _turn(line: str) -> int:
    """Incidents first, while they are open; then all else; what takes something away last, the smallest first."""
    if " -X DELETE " not in line:
        return 0 if "/api/incidents/" in line else 1
    path = line.split()[3]
    return 1000 if path.endswith("/mon-org") else 100 - path.count("/")


def _prepared(api: Api, box: Mailbox, line: str) -> str:
    """What a line needs that was used up by the lines before it, or that only somebody outside has."""
    if " -X DELETE " in line:
        return _with_something_to_delete(api, line)
    if "/pings/1/body" in line:
        cron = line.partition("/checks/")[2].partition("/")[0]
        api.post(f"/api/ping/{cron}", raw="1204 tables", key=None)
        pings = api.get(f"/api/v3/checks/{cron}/pings").json["pings"]
        return line.replace("/1/", f"/{next(ping['n'] for ping in pings if ping['body_url'])}/")
    if "/channels/confirm" in line:
        return re.sub(r"token=\S+", f"token={_mailed_token(api, box)}", line)
    if "/invites/look" in line or "/invites/accept" in line:
        link = api.post("/api/orgs/mon-org/invite", {"email": "eve@example.com"}).json["link"]
        return re.sub(r'"token":"[^"]+"', f'"token":"{link.partition("#")[2]}"', line)
    if line.startswith("curl -X POST") and re.search(r"/api/orgs(/mon-org/api-keys)? -H 'Content-Type", line):
        return line.replace("mon-org", "another-org")
    return line


def _with_something_to_delete(api: Api, line: str) -> str:
    if "/v3/checks/" in line:
        made = api.register({"name": "old", "schedule": None})[0]
        return re.sub(r"/checks/[\w-]+", f"/checks/{made}", line)
    if "/invites/" in line:
        made = api.post("/api/orgs/mon-org/invite", {"email": "ida@example.com"}).json["id"]
        return re.sub(r"/invites/\w+", f"/invites/{made}", line)
    if "/api-keys/" in line:
        made = api.post("/api/orgs/mon-org/api-keys", {"name": "old"}).json["id"]
        return re.sub(r"/api-keys/\w+", f"/api-keys/{made}", line)
    if "/dependencies/" in line:
        cron, other = re.findall(r"/crons/([\w-]+)/dependencies/([\w-]+)", line)[0]
        api.post(f"/api/crons/{cron}/dependencies", {"depends_on_id": other})
    return line


def _mailed_token(api: Api, box: Mailbox) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRONHUB_MAIL", box.url)
        api.post("/api/channels", {"name": "Ops", "kind": "email", "url": "ops@example.com"})
    found = re.search(r"confirm\?token=(\S+)", box.letters[-1].get_content())
    assert found
    return found[1]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", guides.NAMES)
def test_every_line_of_a_guide_works(api: Api, base: str, name: str, lang: str) -> None:
    page = api.get(f"/docs/guides/{name}", key=None, lang=lang).text
    given = values(api, base)

    for line in Lines(page, given).found:
        if line.startswith("curl "):
            status, body = in_a_shell(line)
            assert 200 <= status < 300, (line, body)


def test_every_slot_of_the_page_has_a_field_that_fills_it(api: Api) -> None:
    page = api.get("/docs", key=None).text

    assert set(re.findall(r'data-slot="(\w+)"', page)) == set(re.findall(r'data-fills="(\w+)"', page))
    assert code.slot_of("KEY_ID") != code.slot_of("ch_xxx")


def code_of(name: str, *languages: str) -> list[str]:
    found = [block for block in guides.named(name, Language.EN).body if isinstance(block, Code)]
    return [block.text for block in found if block.language in languages]


def filled(text: str, given: dict[str, str]) -> str:
    return "".join(Lines(f"<pre>{code.with_slots(text)}</pre>", given).found)


@pytest.mark.parametrize("script", code_of("shell", "bash"))
def test_a_script_of_the_guides_signals_its_start_and_its_end(
    api: Api, base: str, clock: Clock, script: str
) -> None:
    given = values(api, base)
    clock.pass_by(minutes=5)

    done = subprocess.run(
        ["bash", "-c", filled(script, given)], check=False, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (0, "the work of the job\n"), done.stderr
    run = api.runs(given["cron"])[0]
    assert (run["status"], run["started_at"] is not None, run["exit_code"]) == ("success", True, 0)


@pytest.mark.parametrize("script", code_of("python", "python"))
def test_a_python_job_of_the_guides_is_a_run(api: Api, base: str, tmp_path: Path, script: str) -> None:
    given = values(api, base)
    job = "MonProduit", "mon-service", "daily-cleanup"
    made = {"product": job[0], "service": job[1], "crons": [{"name": job[2], "schedule": "@daily"}]}
    api.post("/api/crons/register", made)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "cli" / "src"),
        "CRONHUB_URL": base,
        "CRONHUB_API_KEY": given["key"],
        "CRONHUB_STATE": str(tmp_path),
    }

    command = [sys.executable, "-c", filled(script, given)]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    crons = api.get("/api/crons").json["crons"]
    assert [cron["name"] for cron in crons if (cron["last_run"] or {}).get("status") == "success"], crons


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_node_job_of_the_guides_is_a_run(api: Api, base: str, clock: Clock) -> None:
    given = values(api, base)
    clock.pass_by(minutes=5)
    script = filled(code_of("node", "js")[0], given)

    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, "the work of the job\n"), done.stderr
    assert api.runs(given["cron"])[0]["status"] == "success"


@pytest.mark.parametrize("outcome", ["true", "false"])
@pytest.mark.parametrize("line", [line for line in code_of("crontab", "crontab") if "curl" in line])
def test_a_line_of_the_crontab_tells_how_its_job_ended(
    api: Api, base: str, clock: Clock, line: str, outcome: str
) -> None:
    given = values(api, base)
    clock.pass_by(minutes=5)
    command = filled(line, given).partition("  ")[2].replace("/usr/local/bin/backup", outcome)

    done = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    run = api.runs(given["cron"])[0]
    assert (run["status"], run["exit_code"]) == (("success", 0) if outcome == "true" else ("failed", 1))


@pytest.mark.parametrize("name", ["kubernetes", "github-actions"])
def test_the_yaml_of_the_guides_can_be_read_and_its_shell_too(name: str) -> None:
    for text in code_of(name, "yaml"):
        for script in _scripts(yaml.safe_load(text)):
            assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def _scripts(value: object) -> Iterator[str]:
    """What is given to a shell."""
    if isinstance(value, dict):
        yield from (text for text in (value.get("run"),) if isinstance(text, str))
        yield from (text for text in value.get("args", ()))
        for one in value.values():
            yield from _scripts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _scripts(one)


def test_the_units_of_the_guides_have_the_parts_of_units() -> None:
    for text in code_of("systemd", "ini"):
        sections = set(re.findall(r"^\[(\w+)\]$", text, re.MULTILINE))
        assert sections <= {"Unit", "Service", "Timer", "Install"}
        assert all(re.fullmatch(r"\[\w+\]|\w+=.+|", line) for line in text.splitlines())
