"""The package: the functions' code in a zip, and one template of all resources."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.deploy.cfn import Json
from infra.deploy.refusal import Refusal
from infra.deploy.stages import Stage

OUT = Path(".local") / "deploy"
_API_BY_REFERENCE = "${APIHandler.Arn}"
_API_BY_NAME = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Prefix}-api"


def build(stage: Stage, project: Path) -> Path:
    """Returns the path of the template. The zip is in the same folder."""
    out = project / OUT / stage.name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # It imports the app, which refuses wrong settings: checks.py reports these in one line first.
    from infra.deploy.template import write_template

    merged = write_template(stage, project / OUT)
    command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", stage.name]
    # The functions' settings come from the template, not from the environment of this build.
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRONHUB_")}
    done = subprocess.run([*command, "--merge-template", str(merged), str(out)], cwd=project, env=env, check=False)
    if done.returncode:
        raise Refusal("the package could not be built (chalice says why above); nothing was deployed")
    template = out / "sam.json"
    template.write_text(json.dumps(api_by_name(json.loads(template.read_text())), indent=1))
    return template


def api_by_name(template: Json) -> Json:
    """The template with the API's function named instead of referenced.

    A reference would make a cycle, because the function's environment holds the API's address."""
    api = template["Resources"]["RestAPI"]["Properties"]
    text = json.dumps(api["DefinitionBody"])
    assert _API_BY_REFERENCE in text
    api["DefinitionBody"] = json.loads(text.replace(_API_BY_REFERENCE, _API_BY_NAME))
    return template
