"""Production's data outlives its stack."""

import boto3
import pytest

from tests.deployed.conftest import Deployed, call, run, url_in

pytestmark = pytest.mark.deployed


def test_what_a_stack_leaves_is_taken_over_by_the_next(deployed: Deployed) -> None:
    api = url_in(run(deployed.env, "deploy", stage="prod")) + "/api"
    call("POST", f"{api}/orgs", {"name": "Kept", "slug": "kept"})
    key = call("POST", f"{api}/orgs/kept/api-keys", {"name": "first"})["key"]

    said = run(deployed.env, "destroy", stage="prod")
    again = url_in(run(deployed.env, "deploy", stage="prod")) + "/api"

    assert said == "cronhub is gone; its tables, cronhub-*, are kept and protected against deletion\n"
    assert call("GET", f"{again}/orgs/kept", key=key)["name"] == "Kept"
    stacks = boto3.client("cloudformation").describe_stack_resources(StackName="cronhub")["StackResources"]
    assert "cronhub-crons" in {each["PhysicalResourceId"] for each in stacks}
