"""`make deploy`, `make package`, `make destroy` and `make deploy-emulated`."""

import os
import signal
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import checks, emulated, stack
from infra.deploy.package import Target, build, emulated_target
from infra.deploy.parameters import ALARM_ADDRESS, BASE_URL, DOMAIN, RESERVE
from infra.deploy.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 2
NOBODY_IS_TOLD = (
    f"{ALARM_ADDRESS.variable} is not set: nobody is told when CronHub itself fails; "
    f"{ALARM_ADDRESS.variable}=you@example.com make deploy STAGE={{stage}} has its alarms mailed"
)
ADDRESS_MAY_GO = (
    f"{DOMAIN.variable} is not set: ping URLs hold API Gateway's own address, which is another one "
    "after a destroy; set a domain of yours before jobs use them (docs/operations.md)"
)


def main(command: str, stage_name: str) -> int:
    try:
        if command == "deploy":
            deploy(stage_name, ROOT)
        elif command == "destroy":
            destroy(stage_name)
        elif command == "package":
            package(stage_name, ROOT)
        elif command == "deploy-emulated":
            deploy_emulated(stage_name)
        else:
            raise Refusal(f"{command or 'nothing'} is not known here: deploy, destroy, package or deploy-emulated")
    except Refusal as reason:
        print(reason, file=sys.stderr)
        return REFUSED
    except (BotoCoreError, ClientError) as error:
        print(f"AWS: {' '.join(str(error).split())}", file=sys.stderr)
        return REFUSED
    return 0


def deploy(stage_name: str, project: Path) -> None:
    stage = checks.stage_named(stage_name)
    given = checks.given(os.environ)
    account = checks.account()
    if given.get(RESERVE, stack.parameter(stack.name_of(stage, given), RESERVE)) != "off":
        checks.room_for_functions()
    bucket = checks.bucket()
    say(f"deploying {stack.name_of(stage, given)} ({stage.name}) to account {account}")
    url = stack.deploy(stage, given, build(stage, project, _target()), bucket)
    say(f"CronHub is at {url}")
    if not stack.parameter(stack.name_of(stage, given), ALARM_ADDRESS):
        say(NOBODY_IS_TOLD.format(stage=stage.name))
    if not any(stack.parameter(stack.name_of(stage, given), one) for one in (DOMAIN, BASE_URL)):
        say(ADDRESS_MAY_GO)


def package(stage_name: str, project: Path) -> None:
    """Builds what `deploy` uploads, for those who deploy it in another way."""
    say(f"template: {build(checks.stage_named(stage_name), project, _target())}")


def _target() -> Target:
    return emulated_target() if os.environ.get("AWS_ENDPOINT_URL") else Target()


def destroy(stage_name: str) -> None:
    stage = checks.stage_named(stage_name)
    given = checks.given(os.environ)
    checks.account()
    say(stack.destroy(stage, given))


def deploy_emulated(stage_name: str) -> None:
    """To the emulated AWS at AWS_ENDPOINT_URL, or to one of its own that runs until Ctrl-C."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        _deploy_to(endpoint, stage_name)
        return
    with emulated.running(ROOT / ".local" / "deploy" / "stack.log") as own:
        _deploy_to(own, stage_name)
        say(f"the emulated AWS at {own} runs until Ctrl-C; its contents are gone then")
        _until_stopped()


def _deploy_to(endpoint: str, stage_name: str) -> None:
    others = [name for name in os.environ if name.startswith("AWS_")]
    for name in others:
        del os.environ[name]
    os.environ.update(emulated.environment(endpoint))
    emulated.make_bucket()
    deploy(stage_name or "dev", ROOT)


def _until_stopped() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("stopping")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(*[*sys.argv[1:], "", ""][:2]))
