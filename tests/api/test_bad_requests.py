"""177 bad requests, each with the status and the field paths that answer it.

The answers in tests/data/bad_requests.json were recorded before requests became types. Messages may change,
statuses and field paths may not. Signals are not among them: `test_signal_form.py` covers their form.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import Api

_RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "bad_requests.json").read_text(encoding="utf-8")
)
_WINDOW = {"name": "later", "starts_at": "2036-02-17T02:00:00Z", "ends_at": "2036-02-17T03:00:00Z"}
_CHANNEL = {"name": "hook", "kind": "webhook", "url": "https://93.184.216.34/hook"}


def ids_of_things(api: Api) -> dict[str, str]:
    """One of each thing that a path or a body can name, as `{cron}` for example."""
    cron = api.new_cron()
    api.post(f"/api/fail/{cron}", key=None)
    return {
        "{cron}": cron,
        "{incident}": api.get("/api/incidents").json["incidents"][0]["id"],
        "{project}": api.post("/api/projects", {"name": "p"}).json["id"],
        "{window}": api.post("/api/maintenance", _WINDOW).json["id"],
        "{channel}": api.post("/api/channels", _CHANNEL).json["id"],
        "{id}": "0" * 26,
    }


def send(api: Api, request: dict[str, Any], ids: dict[str, str]) -> tuple[int, list[str]]:
    """The status and the field paths of the answer."""
    text = request.get("raw", json.dumps(request.get("body")) if "body" in request else None)
    path = request["path"]
    for name, one in ids.items():
        path, text = path.replace(name, one), text and text.replace(name, one)
    options = {name: request[name] for name in ("key", "content_type") if name in request}
    answer = api.call(request["method"], path, raw=text, **options)
    return answer.status, sorted(error["field"] for error in answer.json.get("errors", []))


@pytest.mark.parametrize("request_", _RECORDED, ids=[request["name"] for request in _RECORDED])
def test_a_bad_request_gets_the_status_and_field_paths_it_always_got(api: Api, request_: dict[str, Any]) -> None:
    status, fields = send(api, request_, ids_of_things(api))

    assert (status, fields) == (request_["status"], request_["fields"])
