"""Registers the jobs that were found."""

from __future__ import annotations

import re
from typing import NamedTuple

from cronhub.client import Client, Object, Refused
from cronhub.discover.job import Job, id_in
from cronhub.terminal import plain


class Registered(NamedTuple):
    #: Ids by what the crons are called.
    ids: dict[str, str]
    #: What each call did: created, updated or unchanged.
    results: dict[str, str]
    #: Why CronHub did not take it.
    refused: dict[str, str]


def register(client: Client, jobs: list[Job], known: dict[str, Object]) -> Registered:
    """known: the crons that CronHub has, by what they are called and by id."""
    done = Registered({}, {}, {})
    services: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        if job.reports:
            _keep_schedule(client, job, known, done)
        else:
            services.setdefault((job.product, job.service), []).append(job)
    for (product, service), listed in services.items():
        for place in range(0, len(listed), 1000):
            _register_service(client, (product, service), listed[place : place + 1000], done)
    return done


def _keep_schedule(client: Client, job: Job, known: dict[str, Object], done: Registered) -> None:
    """A line that was rewritten may have been given another time since."""
    cron = known.get(id_in(job.written) or "")
    if cron is None or job.kind != "crontab":
        return
    wanted = {"schedule": job.schedule, "timezone": job.timezone or "UTC"}
    if {name: cron[name] for name in wanted} != wanted and job.schedule is not None:
        client.patch(f"/api/crons/{cron['id']}", wanted)
        done.results[job.called] = "updated"


def _register_service(client: Client, names: tuple[str, str], jobs: list[Job], done: Registered) -> None:
    """What CronHub does not take is named, and the rest is registered all the same."""
    while jobs:
        body: Object = {"product": names[0], "service": names[1], "crons": [_as_registered(job) for job in jobs]}
        try:
            answer = client.post("/api/crons/register", body)
        except Refused as error:
            wrong = _wrong_places(error)
            if not wrong:
                raise
            done.refused.update({jobs[place].called: why for place, why in wrong.items() if place < len(jobs)})
            jobs = [job for place, job in enumerate(jobs) if place not in wrong]
            continue
        for job, cron in zip(jobs, answer["crons"]):
            done.ids[job.called], done.results[job.called] = str(cron["id"]), str(cron["result"])
        return


def _as_registered(job: Job) -> Object:
    cron: Object = {"name": job.name, "schedule": job.schedule, **job.settings}
    if job.timezone:
        cron["timezone"] = job.timezone
    description = plain(f"{job.place}: {job.command}")[:1000]
    return {**cron, "description": description.encode("utf-8", "replace").decode()}


def _wrong_places(error: Refused) -> dict[int, str]:
    wrong: dict[int, str] = {}
    for one in error.problem.get("errors") or []:
        if found := re.match(r"crons\[(\d+)\]\.(\S+)", str(one.get("field"))):
            wrong.setdefault(int(found[1]), f"{found[2]}: {one.get('message')}")
    return wrong
