"""Style, scripts and icons of the pages. They are served under names that change with their content."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.domain.errors import NotFound

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_HASHED = re.compile(r"(?P<stem>.+)\.(?P<digest>[0-9a-f]{12})(?P<suffix>\.[a-z]+)")
_FOREVER = "public, max-age=31536000, immutable"


class StaticFile(NamedTuple):
    text: str
    media: str
    digest: str


@cache
def files() -> dict[str, StaticFile]:
    """By name. There is nothing else that can be asked for."""
    return {path.name: _read(path) for path in FOLDER.iterdir() if path.suffix in _TYPES}


def _read(path: Path) -> StaticFile:
    data = path.read_bytes()
    media = f"{_TYPES[path.suffix]}; charset=utf-8"
    return StaticFile(data.decode(), media, hashlib.sha256(data).hexdigest()[:12])


def hashed_name(name: str) -> str:
    """`site.css` as `site.0123456789ab.css`: browsers keep it until it changes."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{files()[name].digest}.{suffix}"


def served(call: Call, name: str) -> Response:
    """The file as an answer, 304 where the caller has it. Raises NotFound.

    An old hash gets the file as it is now: a page and its parts may come from two releases during a deployment.
    """
    hashed = _HASHED.fullmatch(name)
    plain = hashed["stem"] + hashed["suffix"] if hashed else name
    if plain not in files():
        raise NotFound("no such path")
    file = files()[plain]
    is_current = hashed is not None and hashed["digest"] == file.digest
    headers: dict[str, str | list[str]] = {
        "Content-Type": file.media,
        "Cache-Control": _FOREVER if is_current else "no-cache",
        "ETag": f'"{file.digest}"',
        "X-Content-Type-Options": "nosniff",
    }
    if file.digest in str(call.request.headers.get("if-none-match", "")):
        return Response("", headers, 304)
    return Response(file.text, headers, 200)
