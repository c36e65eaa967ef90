"""`prune: true` in a service whose change takes several transactions: archiving comes last."""

from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.monitor.cron import Cron
from chalicelib.store import commits
from tests.api.client import Answer, Api


def job(name: str, *depends_on: str) -> dict[str, Any]:
    return {"name": name, "schedule": "0 2 * * *", "depends_on": list(depends_on)}


def register(api: Api, crons: list[dict[str, Any]]) -> Answer:
    return api.post(
        "/api/crons/register", {"product": "shop", "service": "nightly", "crons": crons, "prune": True}
    )


def names(api: Api) -> set[str]:
    """The crons that are not archived."""
    return {cron["name"] for cron in api.get("/api/crons", limit=250).json["crons"]}


def test_a_prune_that_fails_midway_archives_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [job(f"old {number}") for number in range(30)]
    register(api, old)
    real = commits._save_change

    def fail_late(transaction: Any, change: commits.Change) -> Cron:
        if change[1].cron.name == "new 69":
            raise Unavailable("the store is in trouble")
        return real(transaction, change)

    monkeypatch.setattr(commits, "_save_change", fail_late)
    # The cron that fails adds an edge: of what is written, only archiving comes later.
    new = [*(job(f"new {number}") for number in range(69)), job("new 69", "new 0")]

    answer = register(api, new)

    assert answer.status == 503
    assert {one["name"] for one in old} <= names(api)

    monkeypatch.undo()
    assert len(register(api, new).json["archived"]) == 30
    assert names(api) == {one["name"] for one in new}


def test_a_prune_opens_a_cycle_that_ran_through_an_archived_cron(api: Api) -> None:
    others = [job(f"job {number}") for number in range(60)]
    register(api, [*others, job("first"), job("between", "first"), job("last", "between")])

    answer = register(api, [*others, *(job(f"more {n}") for n in range(60)), job("last"), job("first", "last")])

    assert answer.status == 200, answer.text
    assert len(answer.json["archived"]) == 1
    assert "between" not in names(api)
