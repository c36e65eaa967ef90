"""What checkov finds in the template and why it stays: each check is skipped where it is found, with its reason.

The table in docs/security.md is the same; a test compares the two.
"""

from typing import NamedTuple

from infra.deploy.cfn import Json


class Finding(NamedTuple):
    check: str
    #: What the check wants.
    wants: str
    #: The type of the resources.
    kind: str
    why: str
    #: The one resource that it is found in; empty: all of the type.
    only: str = ""


FINDINGS = (
    Finding(
        "CKV_AWS_26",
        "topics with a key of KMS",
        "SNS::Topic",
        "CloudWatch cannot publish to a topic with AWS's own key. Alarms hold names and numbers alone.",
    ),
    Finding(
        "CKV_AWS_27",
        "queues with a key of KMS",
        "SQS::Queue",
        "They are encrypted, with the key of SQS, which the check does not know. Messages hold ids alone.",
    ),
    Finding(
        "CKV_AWS_73",
        "X-Ray",
        "Serverless::Api",
        "A request is one function and one store, and its log line has the times of both.",
    ),
    Finding(
        "CKV_AWS_76",
        "an access log",
        "Serverless::Api",
        "There is one unless `CRONHUB_ACCESS_LOG=off`. The check does not follow the condition.",
    ),
    Finding(
        "CKV_AWS_115",
        "a limit of concurrency",
        "Serverless::Function",
        "The API may take all that is not reserved for the others. A limit would refuse signals.",
        only="APIHandler",
    ),
    Finding(
        "CKV_AWS_116",
        "dead-letter queues of functions",
        "Serverless::Function",
        "The next tick does what a failed one did not. The queues that functions read have dead-letter queues.",
    ),
    Finding(
        "CKV_AWS_117",
        "functions in a VPC",
        "Serverless::Function",
        "They reach receivers on the Internet and nothing private. A VPC would add a way into a network.",
    ),
    Finding(
        "CKV_AWS_119",
        "tables with a key of one's own",
        "DynamoDB::Table",
        "They are encrypted with DynamoDB's key. A key of one's own costs for each use and can be lost.",
    ),
    Finding(
        "CKV_AWS_120",
        "a cache in API Gateway",
        "Serverless::Api",
        "An answer is of one organization and of this second. It must not come from a cache.",
    ),
    Finding(
        "CKV_AWS_158",
        "logs with a key of one's own",
        "Logs::LogGroup",
        "They are encrypted with CloudWatch's key, and hold no secret.",
    ),
    Finding(
        "CKV_AWS_173",
        "environment variables with a key of one's own",
        "Serverless::Function",
        "They are encrypted with Lambda's key. Who may read a function's configuration can read `CRONHUB_MAIL`.",
    ),
)


def with_reasons(resources: Json, chalices: dict[str, str]) -> Json:
    """The resources, each with the checks to skip. chalices: the type of those that Chalice describes."""
    return {name: _with_reasons(name, one, chalices) for name, one in resources.items()}


def _with_reasons(name: str, one: Json, chalices: dict[str, str]) -> Json:
    kind = chalices.get(name) or one["Type"].removeprefix("AWS::")
    skipped = [
        {"id": each.check, "comment": each.why}
        for each in FINDINGS
        if each.kind == kind and each.only in ("", name)
    ]
    return one | {"Metadata": {"checkov": {"skip": skipped}}} if skipped else one
