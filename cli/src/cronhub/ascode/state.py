"""What an organization has now, in the form of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from cronhub.ascode.document import CRON, FILTERS, WINDOW, Document
from cronhub.client import Client, Object
from cronhub.settings import UsageError
from cronhub.slugs import slug_from
from cronhub.terminal import moment


class State(NamedTuple):
    document: Document
    #: Ids by name; of crons, by product/service/name.
    projects: dict[str, str]
    crons: dict[str, str]
    channels: dict[str, str]
    maintenance: dict[str, str]
    #: Ids by e-mail address.
    members: dict[str, str]
    #: Roles of open invitations, by e-mail address.
    invited: dict[str, str]


def load(client: Client, sections: Iterable[str], org: str | None = None) -> State:
    """Of these sections; projects and crons are needed to name the rest."""
    wanted = set(sections)
    projects = list(client.pages("/api/projects", "projects"))
    crons = list(client.pages("/api/crons", "crons"))
    channels = list(client.pages("/api/channels", "channels")) if "channels" in wanted else []
    windows = list(client.pages("/api/maintenance", "maintenance")) if "maintenance" in wanted else []
    if "members" in wanted and org is None:
        raise UsageError("members: say which organization it is, with `org: its-slug`")
    members = list(client.pages(f"/api/orgs/{org}/members", "members")) if "members" in wanted else []
    invites = list(client.pages(f"/api/orgs/{org}/invites", "invites")) if "members" in wanted else []
    names = _Names(projects, crons)
    return State(
        Document(
            org=org,
            projects={str(one["name"]): {"description": one["description"]} for one in projects},
            crons={called(one): names.cron(one) for one in crons},
            channels={str(one["name"]): names.channel(one) for one in channels},
            maintenance={str(one["name"]): names.window(one) for one in windows},
            members={str(one["email"]): {"role": one["role"], "name": one["name"]} for one in members},
        ),
        projects={str(one["name"]): str(one["id"]) for one in projects},
        crons={called(one): str(one["id"]) for one in crons},
        channels=_once(channels, "channels"),
        maintenance={str(one["name"]): str(one["id"]) for one in windows},
        members={str(one["email"]): str(one["id"]) for one in members},
        invited={
            str(one["email"]): str(one["role"])
            for one in invites
            if one["state"] == "pending" and not one["expired"]
        },
    )


def called(cron: Object) -> str:
    return f"{cron['product']}/{cron['service']}/{cron['name']}"


def _once(items: list[Object], section: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in items:
        if one["name"] in found:
            raise UsageError(f"{section}: two are called {one['name']!r}; give one of them another name first")
        found[str(one["name"])] = str(one["id"])
    return found


class _Names:
    """Says ids as names."""

    def __init__(self, projects: list[Object], crons: list[Object]) -> None:
        self._projects = {one["id"]: one["name"] for one in projects}
        self._crons = {one["id"]: called(one) for one in crons}

    def cron(self, one: Object) -> Object:
        found = {
            name: one.get(name, usual) for name, usual in CRON.items() if name not in ("project", "depends_on")
        }
        if found["slug"] == slug_from(one["name"]):
            found["slug"] = None
        return {
            **found,
            "tags": sorted(one["tags"]),
            "project": self._project(one["project_id"]),
            "depends_on": sorted(self._crons.get(each, each) for each in one["depends_on"]),
            "paused": one["status"] == "paused",
        }

    def channel(self, one: Object) -> Object:
        filters = {name: sorted(one["filters"][name]) for name in FILTERS if name != "projects"}
        filters["projects"] = sorted(str(self._project(each)) for each in one["filters"]["project_ids"])
        return {"kind": one["kind"], "url": one["url"], "filters": filters}

    def window(self, one: Object) -> Object:
        found = {name: one.get(name) for name in WINDOW if name not in ("project", "tags", "crons")}
        return {
            **found,
            "project": self._project(one["project_id"]),
            "tags": sorted(one["tags"] or ()),
            "crons": sorted(self._crons.get(each, each) for each in one["cron_ids"] or ()),
        }

    def _project(self, project_id: str | None) -> str | None:
        return None if project_id is None else self._projects.get(project_id, project_id)


def is_over(window: Object) -> bool:
    ends_at = moment(window["ends_at"])
    return ends_at is not None and ends_at < datetime.now(timezone.utc)


def fits_mask(url: str, masked: str) -> bool:
    """Whether what CronHub shows of a channel's URL can be that of this one. The secret part it never shows."""
    without_user = re.sub(r"^(https?://)[^/@]*@", r"\1", url.strip())
    if re.fullmatch(r"https?://[^/?#]+", without_user):
        without_user += "/"
    pattern = re.escape(masked).replace(re.escape(MASK), ".*")
    return re.fullmatch(pattern, without_user, re.IGNORECASE | re.DOTALL) is not None


#: What stands in the place of what is secret.
MASK = "…"
