"""The Kubernetes agent, on answers as a cluster's API gives them."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import yaml
from cronhub.client import with_key
from cronhub.commands.agent import Agent
from cronhub.kubernetes import Cluster
from cronhub.settings import load

from tests.api.client import Api
from tests.cli.program import SOURCE, Tool
from tests.cli.test_import import Rival

JOBS = "/apis/batch/v1/jobs"


def cron_job(name: str, schedule: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"cj-{name}"},
        "spec": {"schedule": schedule, "timeZone": "Europe/Paris", "suspend": False, "jobTemplate": {"spec": {}}},
    }


def job(uid: str, owner: str | None = "backup", **status: Any) -> dict[str, Any]:
    owners = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": owner, "controller": True}] if owner else []
    metadata = {"name": f"{owner}-{uid}", "namespace": "shop", "uid": uid, "ownerReferences": owners}
    return {"metadata": metadata, "status": status}


def ended(kind: str, at: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True", "lastTransitionTime": at, **more}]}


@pytest.fixture
def cluster() -> Iterator[Rival]:
    with Rival() as server:
        server.answers = {
            "/apis/batch/v1/cronjobs": {
                "items": [cron_job("backup", "30 2 * * *"), cron_job("odd", "61 * * * *")]
            },
            JOBS: {"items": []},
            "/api/v1/events": {"items": []},
        }
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def new_agent(cluster: Rival) -> Agent:
    return Agent(with_key(load()), Cluster(cluster.url), None)


def the_cron(api: Api) -> Any:
    (cron,) = api.get("/api/crons").json["crons"]
    return cron


def test_cron_jobs_are_registered_and_a_job_is_reported_from_its_start_to_its_end(
    tool: Tool, api: Api, cluster: Rival
) -> None:
    agent = new_agent(cluster)
    cluster.answers[JOBS] = {"items": [job("j1", startTime="2026-11-30T01:30:00Z"), job("by-hand", owner=None)]}
    agent.look()

    cron = the_cron(api)
    assert (cron["product"], cron["service"], cron["name"]) == ("kubernetes", "shop", "backup")
    assert (cron["schedule"], cron["timezone"], cron["status"]) == ("30 2 * * *", "Europe/Paris", "running")

    failed = ended("Failed", "2026-11-30T01:32:30Z", reason="BackoffLimitExceeded", message="Job has reached it")
    cluster.answers[JOBS] = {"items": [job("j1", startTime="2026-11-30T01:30:00Z", **failed)]}
    for _ in range(2):
        agent.look()

    (run,) = api.runs(cron["id"])
    assert (run["status"], run["run_id"], run["duration_ms"]) == ("failed", "j1", 150_000)
    assert run["message"] == "BackoffLimitExceeded: Job has reached it"


def test_a_restarted_agent_tells_nothing_twice(tool: Tool, api: Api, cluster: Rival) -> None:
    done = {"completionTime": "2026-11-30T01:31:00Z", **ended("Complete", "2026-11-30T01:31:00Z")}
    cluster.answers[JOBS] = {"items": [job("j1", startTime="2026-11-30T01:30:00Z", **done)]}
    event = {
        "metadata": {"uid": "e1"}, "reason": "JobAlreadyActive", "message": "Not starting job", "count": 1,
        "involvedObject": {"kind": "CronJob", "namespace": "shop", "name": "backup"},
    }  # fmt: skip
    normal = {**event, "metadata": {"uid": "e2"}, "reason": "SuccessfulCreate"}
    cluster.answers["/api/v1/events"] = {"items": [event, normal]}
    for _ in range(2):
        new_agent(cluster).look()

    runs = api.runs(the_cron(api)["id"])
    assert sorted(run["status"] for run in runs) == ["log", "success"]
    assert [run["message"] for run in runs if run["status"] == "log"] == ["JobAlreadyActive: Not starting job"]


def test_while_cronhub_is_away_nothing_is_lost(
    tool: Tool, api: Api, cluster: Rival, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = new_agent(cluster)
    agent.look()
    real = agent._client.settings
    agent._client.settings = real._replace(url="http://127.0.0.1:9")
    done = {"completionTime": "2026-11-30T01:31:00Z", **ended("Complete", "2026-11-30T01:31:00Z")}
    cluster.answers[JOBS] = {"items": [job("j1", startTime="2026-11-30T01:30:00Z", **done)]}
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        agent.look()
    agent._client.settings = real
    agent.look()

    assert [run["status"] for run in api.runs(the_cron(api)["id"])] == ["success"]


def test_a_cluster_that_does_not_answer_is_named(tool: Tool) -> None:
    said = tool("agent", "--api", "http://127.0.0.1:9", "--once")

    assert said.status == 75
    assert said.err.startswith("cronhub: the Kubernetes API: ")


def test_outside_a_cluster_it_says_what_to_do(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert "kubectl proxy" in tool("agent", "--once").err


def test_the_manifest_grants_what_is_listed_and_no_more() -> None:
    documents = list(yaml.safe_load_all((SOURCE.parent / "kubernetes" / "agent.yaml").read_text()))
    (role,) = [one for one in documents if one["kind"] == "ClusterRole"]

    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}
    assert {name for rule in role["rules"] for name in rule["resources"]} == {"cronjobs", "jobs", "events"}
