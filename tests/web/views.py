"""Every view of the pages, over the organization of `make demo`: what is tested for access and photographed."""

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.api.http.problem_types import BY_SLUG
from chalicelib.api.pages.channel_forms import SERVICES
from chalicelib.api.pages.docs.guides import NAMES as GUIDES

if TYPE_CHECKING:
    # Installed by `make test-web` alone.
    from playwright.sync_api import Page


class View(NamedTuple):
    #: It names the test and the picture.
    name: str
    path: str
    is_signed_in: bool = True
    #: Whether a picture of it is in docs/images.
    has_picture: bool = True


#: Crons of the demonstration, each in another state.
_CRONS = {
    "down": "bank-statements",
    "failed": "database",
    "up": "daily-sales",
    "new": "evaluate",
    "paused": "newsletter",
    "late": "sync-stock",
    "running": "refresh-embeddings",
    "blocked": "search-index",
    "maintenance": "renew-web",
    "archived": "probe-us",
}


def ask(address: str, path: str, key: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def views(address: str, key: str) -> list[View]:
    """All of them; the ids in their paths are asked for."""
    return [*_open_views(), *_cron_views(address, key), *_org_views(address, key)]


def _open_views() -> list[View]:
    pages = {
        "first-visit": "",
        "sign-in": "signin",
        "invitation-form": "invites/accept",
        "status-page": "status/demo",
        "docs": "docs",
        "docs-fr": "docs?lang=fr",
        "guide": f"docs/guides/{GUIDES[0]}",
        "not-found": "no/such/page",
        "problem": "problems/invalid",
    }
    others = [f"docs/guides/{guide}?lang={language}" for guide in GUIDES for language in ("en", "fr")]
    others += [f"problems/{slug}" for slug in BY_SLUG]
    others += ["?lang=fr", "signin?lang=fr", "signin/once", "status/demo?lang=fr", "status/no-such-page"]
    return [
        *(View(name, path, is_signed_in=False) for name, path in pages.items()),
        *(View(path, path, is_signed_in=False, has_picture=False) for path in others),
    ]


def _cron_views(address: str, key: str) -> list[View]:
    listed = ask(address, "crons?limit=200", key)["crons"]
    listed += ask(address, "crons?limit=200&status=archived", key)["crons"]
    ids = {one["name"]: one["id"] for one in listed}
    down = ids[_CRONS["failed"]]
    [run, *_] = ask(address, f"crons/{down}/runs?limit=1", key)["runs"]
    return [
        View("crons", ""),
        View("crons-filtered", "?status=down"),
        View("crons-fr", "?lang=fr", has_picture=False),
        *(View(f"cron-{state}", f"crons/{ids[name]}") for state, name in _CRONS.items()),
        View("cron-fr", f"crons/{down}?lang=fr"),
        View("cron-edit", f"crons/{down}/edit"),
        View("cron-first", f"crons/{ids[_CRONS['new']]}/first"),
        View("new-cron", "crons/new"),
        View("runs", f"crons/{down}/runs"),
        View("run", f"crons/{down}/runs/{run['id']}"),
    ]


def _org_views(address: str, key: str) -> list[View]:
    opened = ask(address, "incidents?status=open", key)["incidents"]
    past = ask(address, "incidents?status=resolved", key)["incidents"]
    [window, *_] = ask(address, "maintenance", key)["maintenance"]
    [healthy, failing, *_] = ask(address, "channels", key)["channels"]
    [status_page, *_] = ask(address, "status-pages", key)["status_pages"]
    return [
        View("incidents", "incidents"),
        View("incidents-past", "incidents?status=resolved"),
        View("incident-open", f"incidents/{opened[0]['id']}"),
        View("incident-past", f"incidents/{past[0]['id']}"),
        View("maintenance", "maintenance"),
        View("maintenance-window", f"maintenance/{window['id']}"),
        View("channels", "channels"),
        View("channel", f"channels/{healthy['id']}"),
        View("channel-failing", f"channels/{failing['id']}"),
        *(
            View(f"channel-add-{one.id}", f"channels?add={one.id}", has_picture=one.id == "slack")
            for one in SERVICES
        ),
        View("members", "members"),
        View("keys", "keys"),
        View("projects", "projects"),
        View("settings", "settings"),
        View("status-pages", "status-pages"),
        View("status-page-edit", f"status-pages/{status_page['id']}"),
        View("status-page-new", "status-pages/new", has_picture=False),
        View("not-found-signed-in", f"incidents/{'0' * 26}", has_picture=False),
    ]


def sign_in(page: "Page", address: str, key: str) -> None:
    page.goto(f"{address}/signin?lang=en")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Crons", exact=True).wait_for()
    # From here the browser's language counts again.
    page.goto(f"{address}/")


def open_invitation(page: "Page", address: str, key: str) -> None:
    body = {"email": f"guest-{time.time_ns()}@example.com", "role": "member"}
    page.goto(ask(address, "orgs/demo/invite", key, body)["link"])
    page.get_by_role("button", name="Accept and sign in").wait_for()
