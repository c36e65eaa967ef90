"""Checks before anything is created: each problem is reported in one line."""

import os
import re
from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import settings
from infra.deploy.parameters import CERTIFICATE, DOMAIN, PARAMETERS, RESERVE, RESERVED, Parameter
from infra.deploy.refusal import Refusal
from infra.deploy.stages import STAGES, Stage

# What AWS does not let an account reserve.
_UNRESERVED = 100


def stage_named(name: str) -> Stage:
    stages = " or ".join(f"STAGE={stage}" for stage in STAGES)
    if not name:
        raise Refusal(f"STAGE is not set: {stages}")
    if name not in STAGES:
        raise Refusal(f"STAGE={name} is no stage: {stages}")
    return STAGES[name]


def given(environment: Mapping[str, str]) -> dict[Parameter, str]:
    """Returns the parameters that the environment sets. Raises Refusal for a value that makes no sense."""
    found = {each: environment[each.variable].strip() for each in PARAMETERS if each.variable in environment}
    for parameter, value in found.items():
        if parameter.pattern and not re.fullmatch(parameter.pattern, value):
            shown = "" if parameter.is_secret else f"={value}"
            raise Refusal(f"{parameter.variable}{shown} is not: {parameter.says}")
    if bool(found.get(DOMAIN)) is not bool(found.get(CERTIFICATE)):
        raise Refusal(f"{DOMAIN.variable} and {CERTIFICATE.variable} go together: one of them is not set")
    try:
        settings.check()
    except settings.BadSetting as bad:
        raise Refusal(str(bad)) from None
    return found


def account() -> str:
    """The account that is deployed to."""
    if not boto3.session.Session().region_name:
        raise Refusal("AWS_DEFAULT_REGION is not set: AWS_DEFAULT_REGION=eu-west-1, or a profile with a region")
    try:
        return str(boto3.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise Refusal(
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: no credentials that AWS takes "
            f"({_short(error)})"
        ) from None


def room_for_functions() -> None:
    """Raises Refusal where AWS would refuse to reserve concurrency: it keeps 100 that nobody may reserve."""
    most = int(boto3.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    needed = _UNRESERVED + sum(RESERVED.values())
    if most < needed:
        raise Refusal(
            f"this account runs {most} functions at once and {needed} are needed to reserve some: have the quota "
            f"raised (Service Quotas, Lambda, concurrent executions), or {RESERVE.variable}=off until then"
        )


def bucket() -> str:
    """The bucket that packages are uploaded to."""
    name = os.environ.get("CRONHUB_BUCKET") or os.environ.get("S3_BUCKET") or ""
    if not name:
        raise Refusal("CRONHUB_BUCKET is not set: the S3 bucket that the package is uploaded to")
    try:
        boto3.client("s3").head_bucket(Bucket=name)
    except (BotoCoreError, ClientError) as error:
        raise Refusal(
            f"CRONHUB_BUCKET={name} cannot be used ({_short(error)}): aws s3 mb s3://{name} makes it"
        ) from None
    return name


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "")) or "refused"
    return str(error).splitlines()[0]
