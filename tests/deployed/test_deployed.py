"""In order, on one deployment: it works, it watches, it tells, it can be changed, it goes."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from standardwebhooks import Webhook

from infra.deploy.package import OUT, build, emulated_target
from infra.deploy.stages import STAGES
from tests.channels.receivers import Receiver, receiver
from tests.deployed.conftest import ROOT, STAGE, Deployed, call, eventually, run, url_in

pytestmark = pytest.mark.deployed

MOST_BYTES = 12_000_000


class Watched(NamedTuple):
    """A cron that is due every minute and never signals, and whom that is told to."""

    id: str
    key: str
    ping_url: str
    secret: str
    hook: Receiver


@pytest.fixture(scope="module")
def silent(deployed: Deployed) -> Iterator[Watched]:
    api = f"{deployed.url}/api"
    call("POST", f"{api}/orgs", {"name": "Watched", "slug": "watched"})
    key = call("POST", f"{api}/orgs/watched/api-keys", {"name": "first"})["key"]
    with receiver() as hook:
        channel = call("POST", f"{api}/channels", {"name": "ops", "kind": "webhook", "url": hook.url}, key)
        wanted = {"name": "silent", "schedule": "* * * * *", "grace_seconds": 0}
        body = {"product": "shop", "service": "nightly", "crons": [wanted]}
        cron = call("POST", f"{api}/crons/register", body, key)["crons"][0]
        yield Watched(cron["id"], key, cron["ping_url"], channel["secret"], hook)


def test_the_zip_is_small(deployed: Deployed) -> None:
    assert (ROOT / OUT / STAGE / "deployment.zip").stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("stage", STAGES)
def test_cfn_lint_finds_nothing_in_the_template(deployed: Deployed, stage: str, tmp_path: Path) -> None:
    template = ROOT / OUT / stage / "sam.json" if stage == STAGE else build(STAGES[stage], ROOT, emulated_target())

    lint = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "eu-west-1", "--", str(template)]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_documentations_lines_work(deployed: Deployed, silent: Watched) -> None:
    walkthrough = [str(Path(__file__).with_name("walkthrough.sh")), deployed.url]

    done = subprocess.run(walkthrough, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_pages_are_in_the_package(deployed: Deployed) -> None:
    for path, holds in (("/invites/accept", "Open the invitation"), ("/static/app.js", "dataset.live")):
        with urllib.request.urlopen(deployed.url + path, timeout=30) as answer:
            assert holds in answer.read().decode()


def told(silent: Watched, kind: str) -> Any:
    """The event of a kind among those that came, each of them signed."""
    events = [Webhook(silent.secret).verify(got.body, got.headers) for got in silent.hook.got]
    return next((event for event in events if event["type"] == kind), None)


def test_the_tick_sees_what_did_not_run_and_it_is_told_signed(deployed: Deployed, silent: Watched) -> None:
    cron_url = f"{deployed.url}/api/crons/{silent.id}"

    eventually(lambda: call("GET", cron_url, key=silent.key)["status"] == "down")
    event = eventually(lambda: told(silent, "cron.missed"))

    assert event["data"]["cron"]["url"] == f"{deployed.url}/crons?product=shop&service=nightly&name=silent"


def test_notify_tells_at_once_without_waiting_for_a_tick(deployed: Deployed, silent: Watched) -> None:
    events = boto3.client("events")
    for rule in events.list_rules()["Rules"]:
        events.disable_rule(Name=rule["Name"])
    body = {"product": "shop", "service": "nightly", "crons": [{"name": "failing", "schedule": "@daily"}]}
    cron = call("POST", f"{deployed.url}/api/crons/register", body, silent.key)["crons"][0]

    call("POST", cron["ping_url"].replace("/ping/", "/fail/"))

    assert eventually(lambda: told(silent, "cron.failed"))["data"]["cron"]["name"] == cron["name"]


def test_a_ping_url_leads_to_this_deployment(deployed: Deployed, silent: Watched) -> None:
    assert silent.ping_url == f"{deployed.url}/api/ping/{silent.id}"
    assert call("POST", silent.ping_url)["ok"] is True


def test_a_function_can_do_nothing_that_its_policy_does_not_allow(deployed: Deployed, silent: Watched) -> None:
    """Else all that went well so far would say nothing of the policies."""
    iam, role = boto3.client("iam"), role_of("cronhub-dev-api")
    name = iam.list_role_policies(RoleName=role)["PolicyNames"][0]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = [each for each in policy["Statement"] if "dynamodb:Query" not in each["Action"]]

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy | {"Statement": rest}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        call("GET", f"{deployed.url}/api/crons", key=silent.key)
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))

    assert refused.value.code >= 500
    assert call("GET", f"{deployed.url}/api/crons", key=silent.key)["crons"]


def role_of(function: str) -> str:
    arn: str = boto3.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    return arn.rpartition("/")[2]


CHANGE = """

@app.middleware("http")
def changed(event, get_response):
    response = get_response(event)
    response.headers["X-Changed"] = "yes"
    return response
"""


def test_a_changed_function_keeps_the_data(deployed: Deployed, silent: Watched, tmp_path: Path) -> None:
    runs_url = f"{deployed.url}/api/crons/{silent.id}/runs?limit=100"
    before = call("GET", runs_url, key=silent.key)["runs"]
    changed = sources(tmp_path / "changed")
    with (changed / "app.py").open("a") as app:
        app.write(CHANGE)

    url = url_in(run(deployed.env, "deploy", changed))

    assert url == deployed.url
    assert is_changed(url)
    after = call("GET", runs_url, key=silent.key)["runs"]
    assert {run["id"] for run in before} <= {run["id"] for run in after}


def is_changed(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/api/schedules/preview?schedule=@daily", timeout=30) as answer:
        return bool(answer.headers["X-Changed"] == "yes")


def sources(folder: Path) -> Path:
    """A copy of what is deployed, to change."""
    for part in ("chalicelib", "infra", ".chalice"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / part, folder)
    (folder / ".venv-aws").symlink_to(ROOT / ".venv-aws")
    return folder


def test_what_was_deployed_can_be_taken_away(deployed: Deployed) -> None:
    said = run(deployed.env, "destroy")

    assert said == "cronhub-dev is gone, with all its data\n"
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []
