"""Which cron a name stands for. The answer is remembered, so that a job knows it when CronHub is away."""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import suppress
from typing import NamedTuple

from cronhub.client import Client, Object, Refused
from cronhub.settings import Settings, state_folder

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NO_KEY = "a cron is found by its name only with an API key: set CRONHUB_API_KEY, or use --id"


class Wanted(NamedTuple):
    """A cron by its id, its name, service/name or product/service/name."""

    text: str
    #: Given: it is registered with this schedule.
    schedule: str | None = None
    timezone: str | None = None

    @property
    def is_id(self) -> bool:
        return _ID.fullmatch(self.text) is not None


class Names(NamedTuple):
    product: str
    service: str
    name: str


def names_of(text: str) -> Names:
    """What a cron is registered as; where the name does not say it, by this host."""
    parts = text.split("/", 2)
    if len(parts) == 3:
        return Names(*parts)
    host = socket.gethostname() or "host"
    return Names("cron", parts[0], parts[1]) if len(parts) == 2 else Names("cron", host, text)


def cron_id(client: Client, wanted: Wanted) -> str:
    """Raises Unreachable; Refused, also where no cron or more than one has this name."""
    if wanted.is_id:
        return wanted.text
    known = _read().get(_entry(client.settings, wanted))
    if known:
        return known
    if not client.settings.key:
        raise Refused(401, {"detail": _NO_KEY})
    found = _registered(client, wanted) if wanted.schedule else str(find(client, wanted.text)["id"])
    _remember(_entry(client.settings, wanted), found)
    return found


def find(client: Client, text: str) -> Object:
    """The one cron that is called so. Raises Refused where there is none, or more than one."""
    if _ID.fullmatch(text):
        return client.get(f"/api/crons/{text}")
    try:
        listed = list(client.pages("/api/crons", "crons", {"search": text.rsplit("/", 1)[-1] or text}))
    except Refused as error:
        if error.status != 403:
            raise
        raise Refused(
            403, {"detail": "this key may not read: use --id, or --schedule to register the cron"}
        ) from None
    found = [cron for cron in listed if text in called(cron)]
    if not found:
        raise Refused(404, {"detail": f"no cron is called {text!r}"})
    if len(found) > 1:
        names = ", ".join("/".join((cron["product"], cron["service"], cron["name"])) for cron in found[:5])
        raise Refused(404, {"detail": f"{len(found)} crons are called {text!r}: {names}"})
    return found[0]


def called(cron: Object) -> tuple[str, str, str]:
    """The names that it may be called by."""
    name, service = str(cron["name"]), str(cron["service"])
    return name, f"{service}/{name}", f"{cron['product']}/{service}/{name}"


def forget(settings: Settings, wanted: Wanted) -> bool:
    """Whether something was remembered of it."""
    known = _read()
    if wanted.is_id or known.pop(_entry(settings, wanted), None) is None:
        return False
    _write(known)
    return True


def _registered(client: Client, wanted: Wanted) -> str:
    names = names_of(wanted.text)
    cron: Object = {"name": names.name, "schedule": wanted.schedule}
    if wanted.timezone:
        cron["timezone"] = wanted.timezone
    answer = client.post(
        "/api/crons/register", {"product": names.product, "service": names.service, "crons": [cron]}
    )
    return str(answer["crons"][0]["id"])


def _entry(settings: Settings, wanted: Wanted) -> str:
    """With the schedule: where that changes, the cron is registered again."""
    return " ".join((settings.url, wanted.text, wanted.schedule or "", wanted.timezone or ""))


def _remember(entry: str, found: str) -> None:
    _write({**_read(), entry: found})


def _read() -> dict[str, str]:
    try:
        found = json.loads((state_folder() / "names.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(known: dict[str, str]) -> None:
    """It is only a memory: where it cannot be written, the name is looked up again."""
    folder = state_folder()
    hidden = folder / f".names-{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        hidden.write_text(json.dumps(known), encoding="utf-8")
        hidden.rename(folder / "names.json")
