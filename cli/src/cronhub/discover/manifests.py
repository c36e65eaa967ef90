"""Kubernetes' CronJobs and GitHub's workflows, from YAML or JSON files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cronhub.discover import expression
from cronhub.discover.crontab import with_distinct_names
from cronhub.discover.job import Found, Job, NotUnderstood, Place, Unclear, reports_itself
from cronhub.settings import UsageError

_ZONE_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)")
#: GitHub starts late when it is busy.
_GITHUB_GRACE = 3600
_MOST_BYTES = 10 * 1024 * 1024


def documents(text: str) -> list[Any]:
    """Every document of a file. Raises NotUnderstood; UsageError where YAML cannot be read at all."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return [json.loads(text)]
        except ValueError:
            pass
    try:
        import yaml
    except ImportError:
        raise UsageError(
            "to read YAML, install PyYAML: pipx inject cronhub PyYAML, or pip install PyYAML"
        ) from None
    try:
        # The C loader is eight times faster; both construct plain values only.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return list(yaml.load_all(text, Loader=loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise NotUnderstood(f"it is not YAML{where}") from None


def jobs_of(path: Path, text: str | None = None) -> list[Found]:
    """Whatever is scheduled in this file."""
    try:
        if text is None:
            if path.stat().st_size > _MOST_BYTES:
                raise NotUnderstood("it is larger than 10 MB")
            text = path.read_text(encoding="utf-8")
        found = [one for document in documents(text) for one in _of_document(document, path)]
    except NotUnderstood as error:
        return [Unclear(Place(str(path)), path.name, str(error))]
    except (OSError, UnicodeDecodeError) as error:
        return [Unclear(Place(str(path)), path.name, f"it cannot be read: {error}")]
    return with_distinct_names(found)


def jobs_of_document(document: Any, name: str) -> list[Found]:
    """What one document schedules, wherever it comes from."""
    return list(_of_document(document, Path(name)))


def _of_document(document: Any, path: Path) -> Iterator[Found]:
    if not isinstance(document, dict):
        return
    if document.get("kind") == "CronJob":
        yield _understood(_cron_job, document, path)
    elif isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _of_document(item, path)
    elif "jobs" in document:
        # YAML 1.1 takes `on` for true.
        yield from _workflow(document, document.get("on", document.get(True)), path)


def _understood(read: Any, document: dict[str, Any], path: Path) -> Found:
    try:
        found: Job = read(document, path)
    except NotUnderstood as error:
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return Unclear(Place(str(path)), str(name or path.name), str(error))
    return found


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotUnderstood(f"{what} is missing or no mapping")
    return value


def _cron_job(document: dict[str, Any], path: Path) -> Job:
    metadata, spec = _mapping(document.get("metadata"), "metadata"), _mapping(document.get("spec"), "spec")
    name = metadata.get("name") or metadata.get("generateName")
    if not isinstance(name, str):
        raise NotUnderstood("metadata.name is missing")
    if spec.get("suspend") is True:
        raise NotUnderstood("it is suspended, so it does not run")
    schedule, timezone = _kubernetes_schedule(spec.get("schedule"))
    template = spec.get("jobTemplate") or {}
    job = template.get("spec") if isinstance(template, dict) else None
    command = _container_command(job)
    return Job(
        kind="kubernetes",
        place=Place(str(path)),
        product="kubernetes",
        service=str(metadata.get("namespace") or "default"),
        name=name,
        schedule=schedule,
        timezone=_text(spec.get("timeZone")) or timezone or "UTC",
        command=command,
        written=str(spec.get("schedule")),
        reports=reports_itself(command),
        settings=_kubernetes_settings(spec, job),
    )


def _kubernetes_schedule(value: Any) -> tuple[str, str | None]:
    if not isinstance(value, str) or not value.strip():
        raise NotUnderstood("spec.schedule is missing or no text")
    text, timezone = value.strip(), None
    if prefixed := _ZONE_PREFIX.fullmatch(text):
        timezone, text = prefixed[1], prefixed[2]
    if text.startswith("@every "):
        return expression.interval(text[len("@every ") :]), timezone
    if text.startswith("@"):
        if text not in expression.NAMES:
            raise NotUnderstood(f"{text} is no name of a schedule that Kubernetes knows")
        return text, timezone
    return expression.translated(text, expression.KUBERNETES), timezone


def _kubernetes_settings(spec: dict[str, Any], job: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    deadline = spec.get("startingDeadlineSeconds")
    if isinstance(deadline, int) and 0 < deadline <= 86400:
        settings["grace_seconds"] = max(deadline, 60)
    longest = job.get("activeDeadlineSeconds") if isinstance(job, dict) else None
    if isinstance(longest, int) and longest > 0:
        settings["max_runtime_seconds"] = longest
    return settings


def _container_command(job: Any) -> str:
    try:
        container = job["template"]["spec"]["containers"][0]
        words = [*(container.get("command") or []), *(container.get("args") or [])]
        return " ".join(map(str, words)) or str(container.get("image") or "")
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""


def _workflow(document: dict[Any, Any], trigger: Any, path: Path) -> Iterator[Found]:
    schedules = trigger.get("schedule") if isinstance(trigger, dict) else None
    if not isinstance(schedules, list):
        return
    yield from (_found_workflow(document, one, path) for one in schedules)


def _found_workflow(document: dict[Any, Any], one: Any, path: Path) -> Found:
    try:
        return _scheduled_workflow(document, one, path)
    except NotUnderstood as error:
        return Unclear(Place(str(path)), str(one.get("cron") if isinstance(one, dict) else one), str(error))


def _scheduled_workflow(document: dict[Any, Any], one: Any, path: Path) -> Job:
    written = one.get("cron") if isinstance(one, dict) else None
    if not isinstance(written, str):
        raise NotUnderstood("a schedule needs `cron`, a text")
    if written.strip().startswith("@"):
        raise NotUnderstood(f"{written}: GitHub knows no named schedules")
    return Job(
        kind="github",
        place=Place(str(path)),
        product="github",
        service=_repository(path),
        name=str(document.get("name") or path.stem),
        schedule=expression.translated(written, expression.GITHUB),
        timezone=_text(one.get("timezone")) or "UTC",
        command=path.name,
        written=written,
        reports=reports_itself(json.dumps(document.get("jobs"), default=str)),
        settings={"grace_seconds": _GITHUB_GRACE},
        notes=("GitHub starts workflows late when it is busy: an hour of grace is given",),
    )


def _repository(path: Path) -> str:
    """The folder that has .github/workflows."""
    parents = path.resolve().parents
    if len(parents) > 2 and parents[0].name == "workflows" and parents[1].name == ".github":
        return parents[2].name or "repository"
    return parents[0].name or "repository"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def on_machine(kind: str, folder: Path) -> Iterator[Found]:
    """In this folder: workflows in .github/workflows, manifests anywhere below."""
    if kind == "github":
        found = sorted((folder / ".github/workflows").glob("*.y*ml"))
    else:
        found = [
            path
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".yaml", ".yml", ".json") and _may_hold(path)
        ]
    for path in found:
        yield from (one for one in jobs_of(path) if not isinstance(one, Job) or one.kind == kind)


def _may_hold(path: Path) -> bool:
    if any(part in (".git", "node_modules", ".venv", "vendor") for part in path.parts):
        return False
    try:
        return path.is_file() and path.stat().st_size < _MOST_BYTES and b"CronJob" in path.read_bytes()
    except OSError:
        return False
