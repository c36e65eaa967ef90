"""Watches the CronJobs of a Kubernetes cluster: registers them, and reports each Job's start and end.

No job has to be changed. It runs in the cluster with a service account that may list cronjobs, jobs and events, or
beside `kubectl proxy`. What was reported already is not reported again, also after a restart.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timezone

from cronhub import reporter
from cronhub.client import Client, Refused, Unreachable, with_key
from cronhub.commands.arguments import span
from cronhub.discover.job import Job
from cronhub.discover.registering import register
from cronhub.kubernetes import Cluster, JobRun, cron_jobs, job_runs, skips
from cronhub.lookup import Wanted
from cronhub.reporter import Verdict, iso
from cronhub.settings import load
from cronhub.spool import Report


def options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--api", metavar="URL", help="of the cluster; the one that this runs in unless given")
    add("--namespace", help="only this one; all unless given")
    add("--interval", type=span, default=10.0, metavar="SPAN", help="how often it looks (10s)")
    add("--once", action="store_true", help="look once, then end")


def run(arguments: argparse.Namespace) -> int:
    cluster = Cluster(arguments.api.rstrip("/")) if arguments.api else Cluster.around_us()
    agent = Agent(with_key(load()), cluster, arguments.namespace)
    while True:
        try:
            agent.look()
        except (Unreachable, Refused) as error:
            # What was not reported is reported at a later look.
            print(f"cronhub: {error}", file=sys.stderr, flush=True)
            if arguments.once:
                return 75
        if arguments.once:
            return 0
        time.sleep(max(1.0, arguments.interval))


class Agent:
    """Remembers what it has reported."""

    def __init__(self, client: Client, cluster: Cluster, namespace: str | None) -> None:
        self._client = client
        self._cluster = cluster
        self._namespace = namespace
        self._registered: list[Job] = []
        #: Ids of crons, by namespace and name.
        self._ids: dict[tuple[str, str], str] = {}
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._noted: set[str] = set()
        #: Crons whose earlier runs are known.
        self._recalled: set[str] = set()

    def look(self) -> None:
        """Raises Unreachable, Refused."""
        self._register()
        for run in job_runs(self._cluster, self._namespace):
            cron_id = self._ids.get(run.cron_job)
            if cron_id is not None:
                self._recall(cron_id)
                self._report_run(cron_id, run)
        for skip in skips(self._cluster, self._namespace):
            cron_id = self._ids.get(skip.cron_job)
            if cron_id is not None:
                self._recall(cron_id)
                self._note(cron_id, skip.uid, skip.message)

    def _register(self) -> None:
        """Only what is new or has changed."""
        jobs = [one for one in cron_jobs(self._cluster, self._namespace) if isinstance(one, Job)]
        if jobs == self._registered:
            return
        done = register(self._client, jobs, {})
        for called, why in done.refused.items():
            print(f"cronhub: {called} is not watched: {why}", file=sys.stderr, flush=True)
        self._ids = {(job.service, job.name): done.ids[job.called] for job in jobs if job.called in done.ids}
        self._registered = jobs

    def _recall(self, cron_id: str) -> None:
        """What was reported before this process began, by CronHub's own record."""
        if cron_id in self._recalled:
            return
        answer = self._client.get(f"/api/crons/{cron_id}/runs", {"limit": 200})
        for one in answer["runs"]:
            if one["status"] == "log":
                self._noted.add(str(one["run_id"]))
            elif one["status"] == "running":
                self._started.add(str(one["run_id"]))
            else:
                self._ended.add(str(one["run_id"]))
        self._recalled.add(cron_id)

    def _report_run(self, cron_id: str, run: JobRun) -> None:
        if run.uid in self._ended:
            return
        if run.finished_at is not None:
            self._report_end(cron_id, run, run.finished_at)
            self._ended.add(run.uid)
        elif run.uid not in self._started:
            answer = reporter.send_start(self._client, Wanted(cron_id), run.uid, run.started_at)
            if answer.verdict is Verdict.UNREACHABLE:
                raise Unreachable(answer.why)
            self._started.add(run.uid)

    def _report_end(self, cron_id: str, run: JobRun, finished_at: datetime) -> None:
        took = finished_at - run.started_at
        report = Report(
            url=self._client.settings.url,
            cron=cron_id,
            run_id=run.uid,
            exit_code=1 if run.failed else 0,
            duration_ms=max(0, round(took.total_seconds() * 1000)),
            started_at=iso(run.started_at.astimezone(timezone.utc)),
            finished_at=iso(finished_at.astimezone(timezone.utc)),
            output=run.message or None,
        )
        reporter.send_report(self._client, report)

    def _note(self, cron_id: str, uid: str, message: str) -> None:
        if uid not in self._noted:
            self._client.post(f"/api/crons/{cron_id}/log", {"run_id": uid, "message": message})
            self._noted.add(uid)
