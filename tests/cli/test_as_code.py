"""plan, apply and export: an organization as a file."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cronhub.ascode import document, state

from tests.api.client import Api
from tests.cli.program import Said, Tool

FILE = """\
org: mon-org
projects:
  Shop: {description: The web shop}
crons:
  shop:
    nightly:
      backup: "30 2 * * *"
      report:
        schedule: "0 3 * * 1-5"
        timezone: Europe/Paris
        project: Shop
        grace_seconds: 600
        tags: [money, mail]
        depends_on: [backup, ops/hosts/patch]
        sla_target: 99.5
        slug: the-report
    daily:
      tidy: {schedule: "@every 1h", paused: true}
  ops:
    hosts:
      patch:
channels:
  Ops:
    kind: webhook
    url: https://93.184.215.14/${OPS_TOKEN}
    filters: {projects: [Shop], severities: [critical]}
  Mail: {kind: apprise, url: "discord://${OPS_TOKEN}/x"}
maintenance:
  Patch day: {schedule: "0 3 * * 0", duration_minutes: 60, crons: [ops/hosts/patch]}
  Move: {starts_at: 2031-01-01T00:00:00Z, ends_at: 2031-01-01T02:00:00Z, project: Shop}
members:
  ada@example.com: admin
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPS_TOKEN", "secret-token")
    path = tmp_path / "cronhub.yaml"
    path.write_text(FILE)
    return path


def apply(tool: Tool, file: Path, *options: str) -> Said:
    said = tool("apply", str(file), "--yes", *options)
    assert said.status == 0, said
    return said


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_a_plan_says_what_would_be_done_and_does_nothing(tool: Tool, api: Api, file: Path) -> None:
    said = tool("plan", str(file), "--check")

    assert said.status == 1
    assert "+ crons: shop/nightly/backup\n    30 2 * * *" in said.out
    assert said.out.endswith("10 to create, 0 to change, 0 to remove\n")
    assert "secret-token" not in said.out + json.dumps(tool.json("plan", str(file)))
    assert api.get("/api/crons").json["crons"] == []


def test_what_the_file_says_is_made_and_doing_it_again_does_nothing(tool: Tool, api: Api, file: Path) -> None:
    said = apply(tool, file)

    crons = {cron["name"]: cron for cron in api.get("/api/crons").json["crons"]}
    report = crons["report"]
    assert (report["schedule"], report["timezone"], report["grace_seconds"]) == (
        "0 3 * * 1-5",
        "Europe/Paris",
        600,
    )
    assert (sorted(report["tags"]), report["sla_target"], report["slug"]) == (
        ["mail", "money"],
        99.5,
        "the-report",
    )
    assert set(report["depends_on"]) == {crons["backup"]["id"], crons["patch"]["id"]}
    assert crons["tidy"]["status"] == "paused"
    assert crons["patch"]["schedule"] is None
    (project,) = api.get("/api/projects").json["projects"]
    assert report["project_id"] == project["id"]
    channels = {one["name"]: one for one in api.get("/api/channels").json["channels"]}
    assert channels["Ops"]["filters"]["project_ids"] == [project["id"]]
    assert channels["Ops"]["url"].startswith("https://93.184.215.14/")
    windows = {one["name"]: one for one in api.get("/api/maintenance").json["maintenance"]}
    assert windows["Patch day"]["cron_ids"] == [crons["patch"]["id"]]
    assert "invitation of ada@example.com" in said.err
    assert "signing secret" in said.err

    again = tool("plan", str(file), "--check")
    assert (again.status, again.out.splitlines()[-1]) == (0, "nothing to do: everything is as the file says")


def test_a_change_is_told_before_and_after_and_made(tool: Tool, api: Api, file: Path) -> None:
    apply(tool, file)
    change(file, "grace_seconds: 600", "max_runtime_seconds: 60")
    change(file, "paused: true", "paused: false")
    change(file, "depends_on: [backup, ops/hosts/patch]", "depends_on: [tidy2]")
    change(file, "    daily:\n", "      tidy2: '@daily'\n    daily:\n")
    change(file, "severities: [critical]", "severities: [critical, info]")
    change(file, "duration_minutes: 60", "duration_minutes: 90")
    change(file, "The web shop", "Ours")

    said = apply(tool, file)

    assert "~ crons: shop/nightly/report" in said.out
    assert "grace_seconds: 600 → none" in said.out
    assert "1 to create, 5 to change, 0 to remove" in said.out
    crons = {cron["name"]: cron for cron in api.get("/api/crons").json["crons"]}
    assert (crons["report"]["grace_seconds"], crons["report"]["max_runtime_seconds"]) == (None, 60)
    assert crons["report"]["depends_on"] == [crons["tidy2"]["id"]]
    assert crons["tidy"]["status"] != "paused"
    assert tool("plan", str(file), "--check").status == 0


def test_a_dependency_is_turned_round(tool: Tool, api: Api, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    for first, second in ((["b"], []), ([], ["a"])):
        crons = {"a": {"schedule": None, "depends_on": first}, "b": {"schedule": None, "depends_on": second}}
        path.write_text(json.dumps({"crons": {"p": {"s": crons}}}))
        apply(tool, path)

    found = {cron["name"]: cron for cron in api.get("/api/crons").json["crons"]}
    assert [found["a"]["depends_on"], found["b"]["depends_on"]] == [[], [found["a"]["id"]]]


def test_what_the_file_does_not_name_is_kept_and_only_removed_if_that_is_said(
    tool: Tool, api: Api, file: Path
) -> None:
    apply(tool, file)
    api.new_cron()
    api.post("/api/channels", {"name": "Old", "kind": "webhook", "url": "https://93.184.215.15/x"})
    change(file, '      backup: "30 2 * * *"\n', "")
    change(file, "depends_on: [backup, ", "depends_on: [")

    kept = apply(tool, file)
    assert "crons: not in the file, and kept: shop/nightly/backup" in kept.out
    assert len(api.get("/api/crons").json["crons"]) == 4

    change(file, '    daily:\n      tidy: {schedule: "@every 1h", paused: true}\n', "")
    pruned = apply(tool, file, "--prune")
    assert "- channels: Old" in pruned.out
    assert {cron["name"] for cron in api.get("/api/crons").json["crons"]} == {"report", "patch"}
    assert {one["name"] for one in api.get("/api/channels").json["channels"]} == {"Ops", "Mail"}
    assert {cron["name"] for cron in api.get("/api/crons", status="archived").json["crons"]} == {"backup", "tidy"}
    assert tool("plan", str(file), "--prune", "--check").status == 0


def test_a_section_that_the_file_does_not_have_is_left_alone(tool: Tool, api: Api, file: Path) -> None:
    apply(tool, file)
    file.write_text("projects: {Shop: {description: The web shop}}\n")

    assert tool("plan", str(file), "--prune", "--check").status == 0


def test_a_secret_that_cannot_be_compared_is_sent_if_that_is_said(
    tool: Tool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(tool, file)
    monkeypatch.setenv("OPS_TOKEN", "another")
    assert tool("plan", str(file), "--check").status == 0
    assert "2 to change" in apply(tool, file, "--secrets").out

    change(file, "93.184.215.14", "93.184.215.16")
    assert "url: https://93.184.215.14/… → https://93.184.215.16/${OPS_TOKEN}" in tool("plan", str(file)).out


def test_an_export_is_a_file_that_has_nothing_to_do(
    tool: Tool, api: Api, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(tool, file)
    for form, options in (("yaml", ()), ("json", ("--json",))):
        path = tmp_path / f"export.{form}"
        tool("export", "--org", "mon-org", "-o", str(path), *options)
        text = path.read_text()
        assert "secret-token" not in text
        assert "${CHANNEL_OPS}" in text
        raw: Any = yaml.safe_load(text)
        assert raw["crons"]["shop"]["nightly"]["backup"] == "30 2 * * *"
        assert raw["crons"]["shop"]["nightly"]["report"]["depends_on"] == ["ops/hosts/patch", "backup"]
        monkeypatch.setenv("CHANNEL_OPS", "https://93.184.215.14/z")
        monkeypatch.setenv("CHANNEL_MAIL", "discord://a/b")
        again = tool("plan", str(path), "--check")
        assert again.status == 0, again.out


WRONG = [
    ("crons: {a: {b: {c: {shedule: x}}}}", "crons.a.b.c.shedule: is not known here"),
    ("cron: {}", "cron: is not known here"),
    ("crons: [a]", "crons: must be a mapping"),
    ("crons: {a: {b: {c: {tags: {x: 1}}}}}", "crons.a.b.c.tags: must be a list of texts"),
    ("channels: {Ops: {kind: webhook}}", "channels.Ops.url: must be a text"),
    ("crons: {a: {b: {c: {depends_on: [d]}}}}", "crons.a.b.c.depends_on: there is no cron a/b/d"),
    ("crons: {a: {b: {c: {project: None}}}}", "crons.a/b/c: there is no project 'None'"),
    ("maintenance: {M: {crons: [a/b/c], schedule: '@daily', duration_minutes: 5}}", "there is no cron a/b/c"),
    ("members: {a@b.example: admin}", "members: say which organization"),
    ("channels: {Ops: {kind: webhook, url: 'https://x/${MISSING}'}}", "variable MISSING is not set"),
    ("crons: {a: {b: {c: */5 * * * *}}}", "it is not YAML (line 1); texts that begin with * or @ need quotes"),
    ("[]", "must hold one mapping"),
    ("crons: {a: {b: {c: 61 * * * *}}}", "crons[0].schedule: minute: 61 is not within 0-59"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_done(
    tool: Tool, api: Api, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    said = tool("apply", str(path), "--yes")

    assert said.status in (1, 2)
    assert words in said.err
    assert api.get("/api/crons").json["crons"] == []


def test_without_a_terminal_or_a_yes_nothing_is_done(tool: Tool, api: Api, file: Path) -> None:
    assert "say --yes" in tool("apply", str(file)).err
    assert api.get("/api/crons").json["crons"] == []
    assert "cannot be read" in tool("plan", "missing.yaml").err


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b: c": "yes", "d": ["* x", "1", "null", " y "], "é": "line\nbreak"}, "n": 1.5, "t": True},
        {"*": "#", "1": "2026-01-01", "x": "a: b", "y": "- z", "q": "'", "w": "trailing ", "e": {}, "z": None},
    ],
)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert yaml.safe_load(document.yaml_text(value)) == value


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://93.184.215.14/a?b", True),
        ("https://u:p@93.184.215.14", True),
        ("https://other.example.com/a", False),
    ],
)
def test_a_url_is_compared_with_what_is_shown_of_it(url: str, fits: bool) -> None:
    assert state.fits_mask(url, "https://93.184.215.14/…") is fits
