"""What a Kubernetes cluster says of its CronJobs and Jobs, and what CronHub is to be told of it."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cronhub.client import Object, Unreachable
from cronhub.discover.job import Found
from cronhub.discover.manifests import jobs_of_document
from cronhub.settings import UsageError
from cronhub.terminal import moment

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT = 30
_PAGE = 500
#: Why a CronJob's time passed without a Job.
SKIPPED = frozenset({"JobAlreadyActive", "MissSchedule", "TooManyMissedTimes", "FailedCreate", "InvalidSchedule"})


class Cluster(NamedTuple):
    """How its API is reached."""

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None

    @classmethod
    def around_us(cls) -> Cluster:
        """The cluster that this process runs in. Raises UsageError."""
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise UsageError(
                "this does not run in a cluster: say --api, such as http://127.0.0.1:8001 of kubectl proxy"
            )
        where = f"[{host}]" if ":" in host else host
        return cls(f"https://{where}:{port}", _ACCOUNT / "token", _ACCOUNT / "ca.crt")

    def listed(self, path: str, query: dict[str, str] | None = None) -> Iterator[Object]:
        """All items of a list, page by page. Raises Unreachable."""
        following = ""
        while True:
            asked = {**(query or {}), "limit": str(_PAGE), **({"continue": following} if following else {})}
            answer = self._get(f"{self.url}{path}?{urlencode(asked)}")
            yield from answer.get("items") or ()
            following = (answer.get("metadata") or {}).get("continue") or ""
            if not following:
                return

    def _get(self, url: str) -> Object:
        request = urllib.request.Request(url)  # noqa: S310
        if self.token_file is not None:
            # Read each time: the kubelet renews it.
            request.add_unredirected_header("Authorization", f"Bearer {self.token_file.read_text().strip()}")
        context = ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT, context=context) as response:  # noqa: S310
                found: Object = json.loads(response.read())
                return found
        except (OSError, ValueError, HTTPException) as error:
            raise Unreachable(f"the Kubernetes API: {error}") from None


class JobRun(NamedTuple):
    """One Job that a CronJob made."""

    uid: str
    #: namespace/name of the CronJob.
    cron_job: tuple[str, str]
    started_at: datetime
    #: None: it is running.
    finished_at: datetime | None
    failed: bool
    #: Why it failed, in the cluster's words.
    message: str


class Skip(NamedTuple):
    """A time that passed without a Job."""

    uid: str
    cron_job: tuple[str, str]
    message: str


def cron_jobs(cluster: Cluster, namespace: str | None) -> list[Found]:
    found: list[Found] = []
    for one in cluster.listed(f"/apis/batch/v1{_within(namespace)}/cronjobs"):
        # Items of a list do not say their kind.
        found += jobs_of_document({**one, "kind": "CronJob"}, "cluster")
    return found


def job_runs(cluster: Cluster, namespace: str | None) -> list[JobRun]:
    listed = cluster.listed(f"/apis/batch/v1{_within(namespace)}/jobs")
    runs = (job_run(one) for one in listed)
    return sorted((run for run in runs if run is not None), key=lambda run: run.started_at)


def skips(cluster: Cluster, namespace: str | None) -> list[Skip]:
    listed = cluster.listed(
        f"/api/v1{_within(namespace)}/events", {"fieldSelector": "involvedObject.kind=CronJob"}
    )
    return [
        Skip(
            # Kubernetes counts what happens again in the same event.
            f"{one['metadata']['uid']}-{one.get('count') or 1}",
            (str(one["involvedObject"].get("namespace")), str(one["involvedObject"].get("name"))),
            f"{one['reason']}: {one.get('message') or ''}",
        )
        for one in listed
        if one.get("reason") in SKIPPED
    ]


def job_run(job: Object) -> JobRun | None:
    """None: no CronJob made it, or it has not started."""
    metadata, status = job["metadata"], job.get("status") or {}
    owner = next((one for one in metadata.get("ownerReferences") or () if one.get("kind") == "CronJob"), None)
    started_at = moment(status.get("startTime"))
    if owner is None or started_at is None:
        return None
    ended = _end(status)
    finished_at = None
    if ended is not None:
        finished_at = moment(status.get("completionTime")) or moment(ended.get("lastTransitionTime"))
        finished_at = finished_at or datetime.now(timezone.utc)
    failed = ended is not None and ended["type"] == "Failed"
    words = [ended.get("reason"), ended.get("message")] if ended is not None and failed else []
    return JobRun(
        str(metadata["uid"]),
        (str(metadata["namespace"]), str(owner["name"])),
        started_at,
        finished_at,
        failed,
        ": ".join(str(word) for word in words if word),
    )


def _end(status: Object) -> dict[str, Any] | None:
    conditions = status.get("conditions") or ()
    return next(
        (one for one in conditions if one.get("type") in ("Complete", "Failed") and one.get("status") == "True"),
        None,
    )


def _within(namespace: str | None) -> str:
    return f"/namespaces/{namespace}" if namespace else ""
