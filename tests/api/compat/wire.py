"""Requests as they come over the wire: through the gateway, with exactly the headers that a client sends."""

import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app import app
from infra.local.api_gateway import Gateway
from tests.api.contract import faults_of_answer

_gateway = Gateway(app)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(method: str, target: str, body: bytes | str | Any = b"", **headers: str) -> Reply:
    """Headers as keywords: `X_Api_Key="…"`. A body that is no text is sent as JSON."""
    sent = (
        body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    )
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.input": io.BytesIO(sent),
        "wsgi.input_terminated": True,
    }
    if sent and "Transfer_Encoding" not in headers:
        environ["CONTENT_LENGTH"] = str(len(sent))
    for name, value in headers.items():
        upper = name.upper()
        environ[upper if upper in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{upper}"] = value
    started: list[tuple[str, list[tuple[str, str]]]] = []
    parts = _gateway(environ, lambda status, answered, *_: started.append((status, answered)))  # type: ignore[arg-type]
    ((status, answered),) = started
    reply = Reply(int(status[:3]), dict(answered), b"".join(parts))
    faults = faults_of_answer(method, path.removesuffix("/") or "/", reply.status, reply.text)
    assert not faults, (faults, reply.text[:1000])
    return reply


def query(path: str, **parameters: Any) -> str:
    return f"{path}?{urlencode(parameters, doseq=True)}"
