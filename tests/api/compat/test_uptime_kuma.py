"""Uptime Kuma's pushes (group G of the recorded requests)."""

from tests.api.client import Api, Clock
from tests.api.compat.wire import send


def test_a_push_is_a_success_or_a_failure(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)

    up = send("GET", f"/api/push/{cron_id}?status=up&msg=OK&ping=42")
    clock.pass_by(minutes=2)
    down = send("GET", f"/api/push/{cron_id}?status=down&msg=no+disk&ping=")

    assert (up.status, up.json) == (down.status, down.json) == (200, {"ok": True})
    failed, succeeded = api.runs(cron_id)
    assert (succeeded["status"], succeeded["message"], succeeded["metrics"]) == ("success", "OK", {"ping": 42})
    assert (failed["status"], failed["message"], failed["metrics"]) == ("failed", "no disk", {})


def test_an_unknown_token_is_said_in_kumas_form(api: Api) -> None:
    reply = send("GET", "/api/push/nothing?status=up")

    assert (reply.status, reply.json["ok"]) == (404, False)
    assert reply.json["msg"]
