"""`make template`: writes what CronHub is made of on AWS, for Chalice to merge its functions into, and each
function's policy."""

import json
from pathlib import Path

from infra.deploy.cfn import Json, arn, logical, ref
from infra.deploy.functions import api, functions, public_address
from infra.deploy.parameters import CONDITIONS, parameters
from infra.deploy.policies import ACCESS, policy, short_name
from infra.deploy.queues import queues
from infra.deploy.stages import STAGES, Stage
from infra.deploy.tables import tables
from infra.deploy.watch import watch

ROOT = Path(__file__).resolve().parents[2]


def template_file(stage: str) -> Path:
    return ROOT / "infra" / f"template-{stage}.json"


def files() -> dict[Path, Json]:
    """All that is generated, by where it lies."""
    return {
        **{template_file(stage.name): template(stage) for stage in STAGES.values()},
        **{ROOT / ".chalice" / f"policy-{function}.json": policy(function) for function in ACCESS},
    }


def text(document: Json) -> str:
    return json.dumps(document, indent=1) + "\n"


def template(stage: Stage) -> Json:
    return {
        "Description": "CronHub: watches scheduled jobs and tells people when one did not run",
        "Parameters": parameters(stage),
        "Conditions": CONDITIONS,
        "Resources": _together(tables(stage), queues(), functions(stage), api(), watch(stage)),
        "Outputs": _outputs(stage),
    }


def _together(*parts: Json) -> Json:
    names = [name for part in parts for name in part]
    assert len(names) == len(set(names)), "two resources have one name"
    return {name: each for part in parts for name, each in part.items()}


def _outputs(stage: Stage) -> Json:
    roles = {
        # Whom a topic of this account must let publish.
        logical(short_name(function), "role_arn"): {"Value": arn(logical(function, "role"))}
        for function, access in ACCESS.items()
        if access.delivers
    }
    return {
        "URL": {"Description": "Where the API is", "Value": public_address(stage)},
        "DomainTarget": {
            "Description": "What Domain is to point to (CNAME or alias)",
            "Condition": "HasDomain",
            "Value": {"Fn::GetAtt": ["ApiDomain", "RegionalDomainName"]},
        },
        "AlarmTopic": {"Description": "Where alarms about CronHub go", "Value": ref("AlarmTopic")},
        **roles,
    }


def main() -> None:
    for path, document in files().items():
        path.write_text(text(document))


if __name__ == "__main__":
    main()
