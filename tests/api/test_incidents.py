"""Incidents: what people do about them, and what is shown of it."""

from typing import Any

from tests.api.client import Api


def failed(api: Api) -> str:
    """The id of the incident of a cron that has just failed."""
    api.heartbeat(api.new_cron(), "failure")
    return str(api.get("/api/incidents").json["incidents"][0]["id"])


def handled(api: Api, incident_id: str, how: str, **said: Any) -> Any:
    answer = api.post(f"/api/incidents/{incident_id}/{how}", said)
    assert answer.status == 200, answer.text
    return answer.json


def test_the_timeline_keeps_what_each_had_to_say(api: Api) -> None:
    incident_id = failed(api)

    handled(api, incident_id, "acknowledge", by="Ada", note="on it")
    shown = handled(api, incident_id, "resolve", by="Bob", note="disk was full")

    at = "2026-03-10T12:00:00Z"
    assert shown["timeline"] == [
        {"at": at, "what": "opened", "detail": "failed"},
        {"at": at, "what": "acknowledged", "by": "Ada", "detail": "on it"},
        {"at": at, "what": "resolved", "detail": "by_hand", "by": "Bob", "note": "disk was full"},
    ]
    assert (shown["acknowledged_by"], shown["note"]) == ("Ada", "disk was full")


def test_a_note_is_kept_where_nobody_acknowledged(api: Api) -> None:
    incident_id = failed(api)

    handled(api, incident_id, "resolve", note="disk was full")

    shown = api.get(f"/api/incidents/{incident_id}").json
    assert shown["note"] == shown["timeline"][-1]["note"] == "disk was full"
    assert shown["acknowledged_at"] is None
