"""The file `cronhub.yaml`: read, checked, and written.

org: my-org                       # needed for members only
projects:
  Shop: {description: The web shop}
crons:
  shop:                           # product
    nightly:                      # service
      backup: "30 2 * * *"        # only a schedule, or settings:
      report:
        schedule: "0 3 * * *"
        project: Shop
        depends_on: [backup]
channels:
  Ops: {kind: webhook, url: "${OPS_URL}"}    # from the environment
maintenance:
  Patch day: {schedule: "0 3 * * 0", duration_minutes: 60, service: nightly}
members:
  ada@example.com: admin
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from cronhub.client import Object
from cronhub.discover.job import NotUnderstood
from cronhub.discover.manifests import documents
from cronhub.settings import UsageError

#: The settings of a cron, and what each is where the file does not say it.
CRON: Object = {
    "schedule": None, "timezone": "UTC", "description": "", "grace_seconds": None, "max_runtime_seconds": None,
    "anomaly_factor": 3.0, "failure_tolerance": 0, "recovery_threshold": 1, "tags": [], "sla_target": 99.0,
    "reminder_seconds": None, "project": None, "slug": None, "resumes_on_signal": False, "depends_on": [],
}  # fmt: skip
WINDOW: Object = {
    "starts_at": None, "ends_at": None, "schedule": None, "timezone": "UTC", "duration_minutes": None,
    "product": None, "service": None, "project": None, "tags": [], "crons": [],
}  # fmt: skip
FILTERS: Object = {"products": [], "services": [], "projects": [], "tags": [], "kinds": [], "severities": []}
_SECTIONS = ("org", "projects", "crons", "channels", "maintenance", "members")
_LISTS = frozenset({"tags", "depends_on", "crons", *FILTERS})
_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@ +-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class Document(NamedTuple):
    """What is wished for, usual values filled in. None: the file does not speak of it."""

    org: str | None = None
    projects: dict[str, Object] | None = None
    #: By product/service/name. `paused` stands there only where the file says it.
    crons: dict[str, Object] | None = None
    channels: dict[str, Object] | None = None
    maintenance: dict[str, Object] | None = None
    #: By e-mail address.
    members: dict[str, Object] | None = None


def read(path: Path) -> Document:
    """Raises UsageError, naming everything that is wrong."""
    try:
        found = documents(path.read_text(encoding="utf-8"))
    except NotUnderstood as error:
        raise UsageError(f"{path}: {error}; texts that begin with * or @ need quotes") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise UsageError(f"{path} must hold one mapping with {', '.join(_SECTIONS)}")
    return checked(found[0])


def checked(raw: Object) -> Document:
    reader = _Reader()
    document = reader.document(raw)
    if reader.faults:
        raise UsageError("; ".join(reader.faults[:20]))
    return document


class _Reader:
    """Reads as far as it can, so that all faults are named at once."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def document(self, raw: Object) -> Document:
        self._no_others("", raw, _SECTIONS)
        org = raw.get("org")
        return Document(
            org=None if org is None else self._text("org", org),
            projects=self._section(raw, "projects", self._project),
            crons=self._crons(raw["crons"]) if "crons" in raw else None,
            channels=self._section(raw, "channels", self._channel),
            maintenance=self._section(raw, "maintenance", self._window),
            members=self._section(raw, "members", self._member),
        )

    def _section(self, raw: Object, name: str, read_one: Any) -> dict[str, Object] | None:
        if name not in raw:
            return None
        return {
            str(key): read_one(f"{name}.{key}", value) for key, value in self._mapping(name, raw[name]).items()
        }

    def _project(self, path: str, value: Any) -> Object:
        given = self._mapping(
            path, {} if value is None else {"description": value} if isinstance(value, str) else value
        )
        return self._filled(path, given, {"description": ""})

    def _crons(self, value: Any) -> dict[str, Object]:
        found: dict[str, Object] = {}
        for product, services in self._mapping("crons", value).items():
            for service, crons in self._mapping(f"crons.{product}", services).items():
                for name, settings in self._mapping(f"crons.{product}.{service}", crons).items():
                    path = f"crons.{product}.{service}.{name}"
                    found[f"{product}/{service}/{name}"] = self._cron(path, settings)
        for called, cron in found.items():
            cron["depends_on"] = sorted(_whole_name(called, one) for one in cron["depends_on"])
        return found

    def _cron(self, path: str, value: Any) -> Object:
        given = {"schedule": value} if value is None or isinstance(value, str) else self._mapping(path, value)
        cron = self._filled(path, given, CRON, others=("paused",))
        if isinstance(cron["schedule"], str):
            cron["schedule"] = " ".join(cron["schedule"].split())
        if "paused" in given:
            cron["paused"] = bool(given["paused"])
        return cron

    def _channel(self, path: str, value: Any) -> Object:
        given = self._mapping(path, value)
        channel = self._filled(path, given, {"kind": None, "url": None, "filters": None})
        for name in ("kind", "url"):
            channel[name] = self._text(f"{path}.{name}", channel[name])
        filters = self._mapping(f"{path}.filters", given.get("filters") or {})
        return {**channel, "filters": self._filled(f"{path}.filters", filters, FILTERS)}

    def _window(self, path: str, value: Any) -> Object:
        window = self._filled(path, self._mapping(path, value), WINDOW)
        # YAML reads an unquoted time as one.
        return {name: one.isoformat() if hasattr(one, "isoformat") else one for name, one in window.items()}

    def _member(self, path: str, value: Any) -> Object:
        given = {"role": value} if value is None or isinstance(value, str) else self._mapping(path, value)
        return self._filled(path, given, {"role": "member", "name": None})

    def _filled(self, path: str, given: Object, usual: Object, others: tuple[str, ...] = ()) -> Object:
        self._no_others(path, given, (*usual, *others))
        filled = {name: value if given.get(name) is None else given[name] for name, value in usual.items()}
        for name in _LISTS & set(filled):
            filled[name] = self._texts(f"{path}.{name}", filled[name])
        return filled

    def _texts(self, path: str, value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if not isinstance(value, (list, tuple)) or any(isinstance(one, (dict, list)) for one in value):
            self.faults.append(f"{path}: must be a list of texts")
            return []
        return sorted({str(one) for one in value})

    def _text(self, path: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            self.faults.append(f"{path}: must be a text")
            return ""
        return value

    def _mapping(self, path: str, value: Any) -> Object:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.faults.append(f"{path}: must be a mapping")
            return {}
        return value

    def _no_others(self, path: str, given: Object, known: Iterable[str]) -> None:
        for name in given:
            if name not in known:
                self.faults.append(f"{path + '.' if path else ''}{name}: is not known here")


def _whole_name(called: str, dependency: str) -> str:
    """product/service/name, also where the same product and service are left out."""
    missing = 2 - dependency.count("/")
    return "/".join([*called.split("/")[: max(missing, 0)], dependency])


def with_secrets(text: str) -> str:
    """With `${NAME}` from the environment; `$$` is a dollar sign. Raises UsageError for one that is not set."""

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$"
        if not os.environ.get(found[1]):
            raise UsageError(f"the environment variable {found[1]} is not set")
        return os.environ[found[1]]

    return _VARIABLE.sub(value, text)


# -- writing


def raw_of(document: Document) -> Object:
    """The mapping of a file, without what is usual anyway."""
    raw: Object = {"org": document.org} if document.org else {}
    if document.projects is not None:
        raw["projects"] = {name: _unusual(one, {"description": ""}) for name, one in document.projects.items()}
    if document.crons is not None:
        raw["crons"] = _nested(document.crons)
    if document.channels is not None:
        raw["channels"] = {
            name: {"kind": one["kind"], "url": one["url"], **_filters(one["filters"])}
            for name, one in document.channels.items()
        }
    if document.maintenance is not None:
        raw["maintenance"] = {name: _unusual(one, WINDOW) for name, one in document.maintenance.items()}
    if document.members is not None:
        raw["members"] = {email: one["role"] for email, one in document.members.items()}
    return raw


def _unusual(one: Object, usual: Object) -> Object:
    return {name: value for name, value in one.items() if value != usual.get(name)}


def _filters(filters: Object) -> Object:
    given = {name: value for name, value in filters.items() if value}
    return {"filters": given} if given else {}


def _nested(crons: dict[str, Object]) -> Object:
    nested: Object = {}
    for called, cron in crons.items():
        product, service, name = called.split("/", 2)
        given = _unusual(cron, {**CRON, "paused": False})
        given["depends_on"] = [_short_name(called, one) for one in cron["depends_on"]]
        if not given["depends_on"]:
            del given["depends_on"]
        short = given.get("schedule") if set(given) <= {"schedule"} else given
        nested.setdefault(product, {}).setdefault(service, {})[name] = short
    return nested


def _short_name(called: str, dependency: str) -> str:
    service = called.rsplit("/", 1)[0] + "/"
    rest = dependency[len(service) :]
    return rest if dependency.startswith(service) and "/" not in rest else dependency


def yaml_text(value: object, depth: int = 0) -> str:
    """YAML of mappings, lists, texts, numbers and truth, written without a library."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        lines = []
        for name, one in value.items():
            is_block = isinstance(one, dict) and one
            text = yaml_text(one, depth + 1)
            lines.append(f"{pad}{_scalar(str(name))}:" + (f"\n{text}" if is_block else f" {text}"))
        return "\n".join(lines)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_scalar(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if (
        isinstance(value, str)
        and _PLAIN.fullmatch(value)
        and value.lower() not in _WORDS
        and value == value.strip()
    ):
        return value
    # JSON is YAML, but for a DEL and the like, which no name has.
    return json.dumps(value, ensure_ascii=False)
