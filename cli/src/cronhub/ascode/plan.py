"""What has to be done so that an organization has what a file says, and the doing of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, NamedTuple

from cronhub.ascode.document import Document, with_secrets
from cronhub.ascode.state import State, fits_mask, is_over
from cronhub.client import Client, Object
from cronhub.settings import UsageError
from cronhub.slugs import slug_from
from cronhub.terminal import moment

CREATE, CHANGE, REMOVE = "+", "~", "-"
_PRUNABLE = ("members", "maintenance", "channels", "crons", "projects")
#: Crons in one call: CronHub takes 1,000, but each call should be short.
_AT_ONCE = 200


class Step(NamedTuple):
    verb: str
    section: str
    name: str
    #: What it is to be.
    wanted: Object
    #: What changes, for people: `schedule: "0 1 * * *" → "0 2 * * *"`.
    details: tuple[str, ...] = ()


class Plan(NamedTuple):
    steps: list[Step]
    #: What people should know, and nothing is done about.
    notes: list[str]

    def count(self, verb: str) -> int:
        return sum(step.verb == verb for step in self.steps)

    @property
    def summary(self) -> str:
        if not self.steps:
            return "nothing to do: everything is as the file says"
        return f"{self.count(CREATE)} to create, {self.count(CHANGE)} to change, {self.count(REMOVE)} to remove"


class Options(NamedTuple):
    #: Whether what the file does not name is removed, in the sections that it has.
    prune: bool = False
    #: Whether channels' URLs are sent although they look the same.
    secrets: bool = False


def sections_of(document: Document) -> tuple[str, ...]:
    return tuple(name for name in _PRUNABLE if getattr(document, name) is not None)


def make(document: Document, state: State, options: Options) -> Plan:
    notes: list[str] = []
    steps = [
        *_projects(document, state),
        *_crons(document, state),
        *_channels(document, state, options, notes),
        *_windows(document, state, notes),
        *_members(document, state),
    ]
    if options.prune:
        steps += _removals(document, state)
    else:
        notes += _unnamed(document, state)
    _require_known(document, state)
    return Plan(steps, notes)


def _projects(document: Document, state: State) -> Iterator[Step]:
    yield from _compared("projects", document.projects, state.document.projects)


def _crons(document: Document, state: State) -> Iterator[Step]:
    wanted = {
        # A slug that the name makes anyway is none of its own.
        called: {**one, "slug": None} if one["slug"] == slug_from(called.split("/", 2)[2]) else one
        for called, one in (document.crons or {}).items()
    }
    yield from _compared("crons", wanted, state.document.crons)


def _compared(section: str, wanted: dict[str, Object] | None, known: dict[str, Object] | None) -> Iterator[Step]:
    for name, one in (wanted or {}).items():
        before = (known or {}).get(name)
        if before is None:
            yield Step(CREATE, section, name, one, tuple(_described(one)))
        elif details := tuple(_differences(before, one)):
            yield Step(CHANGE, section, name, one, details)


def _described(one: Object) -> Iterator[str]:
    if one.get("schedule"):
        yield str(one["schedule"])


def _differences(before: Object, wanted: Object) -> Iterator[str]:
    for name, value in wanted.items():
        if before.get(name) != value:
            yield f"{name}: {_shown(before.get(name))} → {_shown(value)}"


def _shown(value: object) -> str:
    return "none" if value is None or value in ("", []) else repr(value) if isinstance(value, str) else str(value)


def _channels(document: Document, state: State, options: Options, notes: list[str]) -> Iterator[Step]:
    for name, one in (document.channels or {}).items():
        url = with_secrets(one["url"])
        before = (state.document.channels or {}).get(name)
        # Its URL is a secret: the plan shows what the file says.
        wanted = {**one, "url": url}
        if before is None:
            yield Step(CREATE, "channels", name, wanted, (str(one["kind"]),))
            continue
        if before["kind"] != one["kind"]:
            raise UsageError(
                f"channels.{name}: a channel cannot become another kind; give the new one another name"
            )
        details = list(_differences({"filters": before["filters"]}, {"filters": one["filters"]}))
        if options.secrets or not fits_mask(url, before["url"]):
            details.append(f"url: {before['url']} → {one['url']}")
        if details:
            yield Step(CHANGE, "channels", name, wanted, tuple(details))
    if document.channels and not options.secrets:
        notes.append("the secret part of a channel's URL cannot be compared; --secrets sends all of them again")


def _windows(document: Document, state: State, notes: list[str]) -> Iterator[Step]:
    for name, one in (document.maintenance or {}).items():
        before = (state.document.maintenance or {}).get(name)
        if before is None and is_over(one):
            notes.append(f"maintenance.{name} is over, so it is not created")
        elif before is None:
            yield Step(CREATE, "maintenance", name, one, tuple(_described(one)))
        elif details := tuple(_differences(_with_moments(before), _with_moments(one))):
            yield Step(CHANGE, "maintenance", name, one, details)


def _with_moments(window: Object) -> Object:
    def same(text: str | None) -> str | None:
        at = moment(text)
        return None if at is None else str(at.timestamp() if at.tzinfo else text)

    return {**window, "starts_at": same(window["starts_at"]), "ends_at": same(window["ends_at"])}


def _members(document: Document, state: State) -> Iterator[Step]:
    for email, one in (document.members or {}).items():
        before = (state.document.members or {}).get(email)
        if before is None and state.invited.get(email) != one["role"]:
            yield Step(CREATE, "members", email, one, (f"is invited as {one['role']}",))
        elif before is not None:
            wanted = {key: value for key, value in one.items() if value is not None}
            if details := tuple(_differences(before, wanted)):
                yield Step(CHANGE, "members", email, wanted, details)


def _removals(document: Document, state: State) -> list[Step]:
    """In the opposite order: what is used by others comes last."""
    return [
        Step(REMOVE, section, name, {}) for section in _PRUNABLE for name in _not_named(document, state, section)
    ]


def _not_named(document: Document, state: State, section: str) -> list[str]:
    wanted, known = getattr(document, section), getattr(state.document, section)
    if wanted is None:
        return []
    is_past = section == "maintenance"
    return [name for name, one in (known or {}).items() if name not in wanted and not (is_past and is_over(one))]


def _unnamed(document: Document, state: State) -> Iterator[str]:
    for section in _PRUNABLE:
        names = _not_named(document, state, section)
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            yield f"{section}: not in the file, and kept: {', '.join(names[:5])}{more} (--prune removes them)"


def _require_known(document: Document, state: State) -> None:
    """Names that the file uses stand for something. Raises UsageError."""
    projects = {
        **(state.projects if document.projects is None else {}),
        **(document.projects or {}),
        **state.projects,
    }
    crons = {**state.crons, **(document.crons or {})}
    faults = [
        f"crons.{called.replace('/', '.')}.depends_on: there is no cron {one}"
        for called, cron in (document.crons or {}).items()
        for one in cron["depends_on"]
        if one not in crons
    ]
    users = [("crons", name, one["project"]) for name, one in (document.crons or {}).items()]
    users += [("maintenance", name, one["project"]) for name, one in (document.maintenance or {}).items()]
    faults += [
        f"{section}.{name}: there is no project {one!r}"
        for section, name, one in users
        if one and one not in projects
    ]
    faults += [
        f"maintenance.{name}.crons: there is no cron {one}"
        for name, window in (document.maintenance or {}).items()
        for one in window["crons"]
        if one not in crons
    ]
    if faults:
        raise UsageError("; ".join(faults[:20]))


# -- doing it


class Doing:
    """Carries out a plan. What was made so far is known by its name."""

    def __init__(self, client: Client, state: State, org: str | None, say: Callable[[str], None]) -> None:
        self._client = client
        self._state = state
        self._org = org
        self._say = say
        self.crons = dict(state.crons)
        self._projects = dict(state.projects)
        self._schedules = {name: one["schedule"] for name, one in (state.document.crons or {}).items()}

    def run(self, plan: Plan) -> None:
        of = {
            section: [s for s in plan.steps if s.section == section and s.verb != REMOVE] for section in _PRUNABLE
        }
        for step in of["projects"]:
            self._project(step)
        self._register(of["crons"])
        self._connect(of["crons"])
        self._pause(of["crons"])
        for step in of["channels"]:
            self._channel(step)
        for step in of["maintenance"]:
            self._window(step)
        for step in of["members"]:
            self._member(step)
        self._remove([step for step in plan.steps if step.verb == REMOVE])

    def _project(self, step: Step) -> None:
        if step.verb == CREATE:
            made = self._client.post("/api/projects", {"name": step.name, **step.wanted})
            self._projects[step.name] = str(made["id"])
        else:
            self._client.patch(f"/api/projects/{self._projects[step.name]}", step.wanted)

    def _register(self, steps: list[Step]) -> None:
        """Without dependencies: those may name crons that come later."""
        services: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            product, service, _ = step.name.split("/", 2)
            services.setdefault((product, service), []).append(step)
        for (product, service), of_service in services.items():
            for place in range(0, len(of_service), _AT_ONCE):
                part = of_service[place : place + _AT_ONCE]
                body: Object = {
                    "product": product,
                    "service": service,
                    "crons": [self._as_registered(step) for step in part],
                }
                answer = self._client.post("/api/crons/register", body)
                for step, cron in zip(part, answer["crons"]):
                    self.crons[step.name] = str(cron["id"])
                    self._schedules[step.name] = step.wanted["schedule"]

    def _as_registered(self, step: Step) -> Object:
        given = {
            name: value for name, value in step.wanted.items() if name not in ("project", "depends_on", "paused")
        }
        return {
            **given,
            "name": step.name.split("/", 2)[2],
            "project_id": self._project_id(step.wanted["project"]),
        }

    def _project_id(self, name: str | None) -> str | None:
        return None if name is None else self._projects[name]

    def _connect(self, steps: list[Step]) -> None:
        """First what goes, so that turning a dependency round makes no cycle."""
        known = self._state.document.crons or {}
        changes = []
        for step in steps:
            before = set((known.get(step.name) or {}).get("depends_on", ()))
            wanted = set(step.wanted["depends_on"])
            changes += [(step.name, one, False) for one in before - wanted]
            changes += [(step.name, one, True) for one in sorted(wanted - before)]
        for name, one, is_new in sorted(changes, key=lambda change: change[2]):
            path = f"/api/crons/{self.crons[name]}/dependencies"
            if is_new:
                self._client.post(path, {"depends_on_id": self.crons[one]})
            elif one in self.crons:
                self._client.delete(f"{path}/{self.crons[one]}")

    def _pause(self, steps: list[Step]) -> None:
        known = self._state.document.crons or {}
        for step in steps:
            is_paused = bool((known.get(step.name) or {}).get("paused"))
            if step.wanted.get("paused", is_paused) is not is_paused:
                action = "resume" if is_paused else "pause"
                self._client.post(f"/api/crons/{self.crons[step.name]}/{action}")

    def _channel(self, step: Step) -> None:
        given = step.wanted["filters"]
        filters = {name: value for name, value in given.items() if name != "projects"}
        filters["project_ids"] = [self._project_id(one) for one in given["projects"]]
        body: Object = {"url": step.wanted["url"], "filters": filters}
        if step.verb == CREATE:
            made = self._client.post("/api/channels", {**body, "name": step.name, "kind": step.wanted["kind"]})
            if made.get("secret"):
                self._say(f"channel {step.name}: its signing secret, shown only now: {made['secret']}")
            if not made["confirmed"]:
                self._say(f"channel {step.name}: its owner must confirm the address")
            return
        if not any(detail.startswith("url:") for detail in step.details):
            # Unchanged as far as can be seen: an e-mail address would have to be confirmed again.
            del body["url"]
        self._client.patch(f"/api/channels/{self._state.channels[step.name]}", body)

    def _window(self, step: Step) -> None:
        given = {name: value or None for name, value in step.wanted.items() if name not in ("project", "crons")}
        body: Object = {
            **given,
            "project_id": self._project_id(step.wanted["project"]),
            "cron_ids": [self.crons[one] for one in step.wanted["crons"]] or None,
        }
        if step.verb == CREATE:
            self._client.post("/api/maintenance", {**body, "name": step.name})
        else:
            self._client.patch(f"/api/maintenance/{self._state.maintenance[step.name]}", body)

    def _member(self, step: Step) -> None:
        if step.verb == CHANGE:
            self._client.patch(f"/api/orgs/{self._org}/members/{self._state.members[step.name]}", step.wanted)
            return
        invited = self._client.post(
            f"/api/orgs/{self._org}/invite", {"email": step.name, "role": step.wanted["role"]}
        )
        if invited.get("link"):
            self._say(f"invitation of {step.name}, to pass on: {invited['link']}")

    def _remove(self, steps: list[Step]) -> None:
        ids = {
            "members": (f"/api/orgs/{self._org}/members", self._state.members),
            "maintenance": ("/api/maintenance", self._state.maintenance),
            "channels": ("/api/channels", self._state.channels),
            "projects": ("/api/projects", self._state.projects),
        }
        self._archive({step.name for step in steps if step.section == "crons"})
        for step in steps:
            if step.section != "crons":
                path, known = ids[step.section]
                self._client.delete(f"{path}/{known[step.name]}")

    def _archive(self, names: set[str]) -> None:
        """Archived, not deleted: their history stays. Whatever else the services have is named, and kept."""
        for product, service in sorted({(*name.split("/", 2)[:2],) for name in names}):
            head = f"{product}/{service}/"
            kept = [name for name in self.crons if name.startswith(head) and name not in names]
            body: Object = {
                "product": product,
                "service": service,
                "crons": [{"name": name[len(head) :], "schedule": self._schedules[name]} for name in kept],
                "prune": True,
            }
            self._client.post("/api/crons/register", body)
