"""The API as a test uses it: through Chalice's test client, at a time of the test's choice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client

from app import app
from chalicelib.services import clock
from chalicelib.services.evaluate import TickReport, run_tick
from tests.api.contract import faults_of_answer


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)

    @classmethod
    def installed(cls, monkeypatch: pytest.MonkeyPatch) -> "Clock":
        fake = cls()
        monkeypatch.setattr(clock, "now", lambda: fake.now)
        return fake

    def at(self, text: str) -> None:
        """`at("02:00:05")` of the same day, or a whole `2026-03-11T02:00:05`."""
        if len(text) <= 8:
            text = f"{self.now:%Y-%m-%d}T{text}"
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def wrong_fields(self) -> list[str]:
        return [error["field"] for error in self.json["errors"]]


class Api:
    #: Every answer is held against the OpenAPI document; an older release has another one.
    checks_contract = True

    def __init__(self, client: Client) -> None:
        self.client = client
        self.key: str | None = None

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Api"]:
        with Client(app) as client:
            yield cls(client)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "own",
        raw: bytes | str | None = None,
        content_type: str | None = "application/json",
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        sent = dict(headers or {})
        wanted = self.key if key == "own" else key
        if wanted:
            sent["Authorization"] = f"Bearer {wanted}"
        data = raw if body is None else json.dumps(body)
        if data is not None and content_type:
            sent["Content-Type"] = content_type
        if query:
            path += "?" + urlencode(query)
        encoded = data.encode() if isinstance(data, str) else data or b""
        response = self.client.http.request(method, path, headers=sent, body=encoded)
        answer = Answer(response.status_code, dict(response.headers), response.body.decode())
        faults = faults_of_answer(method, path, answer.status, answer.text) if self.checks_contract else []
        assert not faults, (faults, answer.text[:1000])
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def new_org(self, slug: str) -> str:
        """Makes an org; returns its first key."""
        made = self.post("/api/orgs", {"name": slug.title(), "slug": slug}, key=None)
        assert made.status == 201, made.text
        answer = self.post(f"/api/orgs/{slug}/api-keys", {"name": "first"}, key=None)
        assert answer.status == 201, answer.text
        return str(answer.json["key"])

    def new_key(self, scope: str, slug: str = "mon-org") -> str:
        answer = self.post(f"/api/orgs/{slug}/api-keys", {"name": scope, "scope": scope})
        assert answer.status == 201, answer.text
        return str(answer.json["key"])

    def register(self, *crons: dict[str, Any], **more: Any) -> list[str]:
        """Registers crons of one service; returns their ids."""
        body = {"product": "shop", "service": "nightly", "crons": list(crons), **more}
        answer = self.post("/api/crons/register", body)
        assert answer.status == 200, answer.text
        return [cron["id"] for cron in answer.json["crons"]]

    def new_cron(self, schedule: str | None = "0 2 * * *", **settings: Any) -> str:
        return self.register({"name": "backup", "schedule": schedule, **settings})[0]

    def cron(self, cron_id: str) -> Any:
        answer = self.get(f"/api/crons/{cron_id}")
        assert answer.status == 200, answer.text
        return answer.json

    def runs(self, cron_id: str, **query: Any) -> list[Any]:
        answer = self.get(f"/api/crons/{cron_id}/runs", **query)
        assert answer.status == 200, answer.text
        return list(answer.json["runs"])

    def heartbeat(self, cron_id: str, status: str = "success", **fields: Any) -> Any:
        answer = self.post(f"/api/crons/{cron_id}/heartbeat", {"status": status, **fields})
        assert answer.status == 200, answer.text
        return answer.json

    def start(self, cron_id: str, **fields: Any) -> Any:
        answer = self.post(f"/api/crons/{cron_id}/start", fields or None)
        assert answer.status == 200, answer.text
        return answer.json

    def tick(self) -> TickReport:
        return run_tick(clock.now())
