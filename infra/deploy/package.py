"""The package: the functions' code in a zip, and one template of all resources."""

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from infra.deploy.cfn import Json
from infra.deploy.refusal import Refusal
from infra.deploy.stages import Stage

OUT = Path(".local") / "deploy"
#: What the functions run on, whatever Python and machine deploys. The tests run with this Python.
RUNTIME = "python3.11"
ARCHITECTURE = "arm64"
#: What the functions call on AWS.
USED_SERVICES = ("dynamodb", "ses", "sns", "sqs")
_SERVICES = "botocore/data/"
# Chalice would take both from the Python that runs it and its own default.
_CHALICE = """
import sys
from chalice.config import Config
Config.lambda_python_version, Config.lambda_architecture = sys.argv[1:3]
sys.argv[:3] = ["chalice"]
from chalice.cli import main
sys.exit(main())
"""
_API_BY_REFERENCE = "${APIHandler.Arn}"
_API_BY_NAME = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Prefix}-api"


class Target(NamedTuple):
    """What a package is built for."""

    runtime: str = RUNTIME
    architecture: str = ARCHITECTURE


def emulated_target() -> Target:
    """An emulated AWS runs the functions with this machine's Python."""
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Target(f"python{sys.version_info.major}.{sys.version_info.minor}", machine)


def build(stage: Stage, project: Path, target: Target) -> Path:
    """Returns the path of the template. The zip is in the same folder."""
    out = project / OUT / stage.name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # It imports the app, which refuses wrong settings: checks.py reports these in one line first.
    from infra.deploy.template import write_template

    merged = write_template(stage, project / OUT)
    command = [sys.executable, "-c", _CHALICE, *target, "package", "--stage", stage.name]
    # The functions' settings come from the template, not from the environment of this build.
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRONHUB_")}
    env |= {"CRONHUB_PACKAGING": "1", "AWS_DEFAULT_REGION": env.get("AWS_DEFAULT_REGION", "us-east-1")}
    done = subprocess.run([*command, "--merge-template", str(merged), str(out)], cwd=project, env=env, check=False)
    if done.returncode:
        raise Refusal("the package could not be built (chalice says why above); nothing was deployed")
    template = out / "sam.json"
    leave_out_unused_services(out / "deployment.zip")
    made = api_by_name(json.loads(template.read_text()))
    template.write_text(json.dumps(for_target(made, target), indent=1))
    return template


def leave_out_unused_services(package: Path) -> None:
    """Takes botocore's descriptions of services that no function calls out of a zip: they are two thirds of it."""
    lean = package.with_suffix(".lean")
    with zipfile.ZipFile(package) as whole, zipfile.ZipFile(lean, "w", zipfile.ZIP_DEFLATED) as kept:
        for one in whole.infolist():
            folder, _, rest = one.filename.removeprefix(_SERVICES).partition("/")
            is_unused = one.filename.startswith(_SERVICES) and rest and folder not in USED_SERVICES
            if not is_unused:
                # With its own time, so that the same sources make the same zip.
                kept.writestr(one, whole.read(one))
    lean.replace(package)


def for_target(template: Json, target: Target) -> Json:
    """The template with the functions' runtime and architecture as their package was built."""
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"] |= {"Runtime": target.runtime, "Architectures": [target.architecture]}
    return template


def api_by_name(template: Json) -> Json:
    """The template with the API's function named instead of referenced.

    A reference would make a cycle, because the function's environment holds the API's address."""
    api = template["Resources"]["RestAPI"]["Properties"]
    text = json.dumps(api["DefinitionBody"])
    assert _API_BY_REFERENCE in text
    api["DefinitionBody"] = json.loads(text.replace(_API_BY_REFERENCE, _API_BY_NAME))
    return template
