"""The resources that CronHub needs on AWS. Chalice merges its functions into them.

`make template` writes each function's policy, which is committed because Chalice reads it, and each stage's
template under .local/, which is not: the two are 1,700 lines each and differ in a few.
"""

import json
from pathlib import Path

from infra.deploy.api import api, public_address
from infra.deploy.cfn import Json, arn, logical, ref
from infra.deploy.findings import with_reasons
from infra.deploy.functions import functions, logical_function
from infra.deploy.package import OUT
from infra.deploy.parameters import CONDITIONS, parameters
from infra.deploy.policies import ACCESS, policy, short_name
from infra.deploy.queues import queues
from infra.deploy.stages import STAGES, Stage
from infra.deploy.tables import tables
from infra.deploy.watch import watch

ROOT = Path(__file__).resolve().parents[2]


def policy_files() -> dict[Path, Json]:
    return {ROOT / ".chalice" / f"policy-{function}.json": policy(function) for function in ACCESS}


def write_template(stage: Stage, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"template-{stage.name}.json"
    path.write_text(text(template(stage)))
    return path


def text(document: Json) -> str:
    return json.dumps(document, indent=1) + "\n"


def template(stage: Stage) -> Json:
    return {
        "Description": "CronHub: watches scheduled jobs and tells people when one did not run",
        "Parameters": parameters(stage),
        "Conditions": CONDITIONS,
        "Resources": with_reasons(
            _together(tables(stage), queues(), functions(stage), api(stage), watch(stage)), _of_chalice()
        ),
        "Outputs": _outputs(stage),
    }


def _of_chalice() -> dict[str, str]:
    """The types of the resources that Chalice describes and the template only adds to."""
    return {logical_function(function): "Serverless::Function" for function in ACCESS} | {
        "RestAPI": "Serverless::Api"
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
    for path, document in policy_files().items():
        path.write_text(text(document))
    for stage in STAGES.values():
        print(write_template(stage, ROOT / OUT).relative_to(ROOT))


if __name__ == "__main__":
    main()
