"""`make run`: CronHub on this machine, with all it needs."""

import errno
import os
import socket
import sys
from pathlib import Path

from chalicelib import settings
from infra.local import folder
from infra.local.log import say
from infra.local.supervisor import MAX_STARTUP_FAILURES, Part, Supervisor

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
STACK_PYTHON = ROOT / ".venv-stack" / "bin" / "python"
STACK_SERVICES = "dynamodb,sqs"
STACK_STOP_LIMIT = 60.0
LOOPBACK = "127.0.0.1"
BACKLOG = 1024
# What a part is called in the log, where that says more than its module.
_SHOWN_AS = {"eventbridge": "tick"}

TRY_THIS = (
    """curl -X POST {url}/api/orgs -d '{{"name":"My org","slug":"my-org"}}' """
    "-H 'Content-Type: application/json'",
    """curl -X POST {url}/api/orgs/my-org/api-keys -d '{{"name":"first"}}' """
    "-H 'Content-Type: application/json'",
    "curl {url}/api/crons -H 'Authorization: Bearer ch_...'",
)


class Refusal(Exception):
    """A reason not to start, for the user to read."""


def main() -> int:
    try:
        settings.check()
        port = wanted_port()
        lock = folder.take(STATE)
        sockets = listen(port)
    except (Refusal, settings.BadSetting, folder.BusyFolder) as reason:
        say("run", str(reason))
        return 1
    return run(port, lock, sockets)


def wanted_port() -> int:
    text = os.environ.get("PORT", "4000")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Refusal(f"PORT={text} is not a port: PORT=4001 make run")
    return int(text)


def listen(port: int) -> list[socket.socket]:
    """The supervisor opens the port and keeps it, so callers only wait while the API restarts."""
    sockets = []
    for family, address in ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")):
        try:
            sockets.append(_listener(family, address, port))
        except OSError as error:
            # A machine without IPv6 is no reason to stop; a port that another server has is.
            if family == socket.AF_INET6 and error.errno != errno.EADDRINUSE:
                continue
            other = port + 1 if port < 65535 else port - 1
            raise Refusal(
                f"port {port} is taken ({error.strerror}); choose another: PORT={other} make run"
            ) from error
    return sockets


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def run(port: int, lock: int, sockets: list[socket.socket]) -> int:
    url = f"http://localhost:{port}"
    own_store = "AWS_ENDPOINT_URL" not in os.environ
    stack_port = free_port() if own_store else None
    supervisor = Supervisor(environment(url, stack_port), ROOT, shared=(lock,))
    tables = python_part("tables", ends=True)
    api = python_part("api", tuple(each.fileno() for each in sockets))
    functions = [api, python_part("eventbridge"), python_part("notify"), python_part("evaluate")]
    store = [tables]
    if own_store:
        store.append(stack_part(tables))
        supervisor.start(store[-1])
    ready = supervisor.run_until_done(tables)
    if ready:
        for part in functions:
            supervisor.start(part)
        announce(url, supervisor.env["AWS_ENDPOINT_URL"])
        supervisor.watch()
    elif not supervisor.stop_signal.received:
        say(
            "run",
            f"the store did not come up in {MAX_STARTUP_FAILURES} tries; see .local/stack.log",
        )
    asked = supervisor.stop_signal.received
    say("run", "stopping")
    for each in sockets:
        each.close()
    supervisor.stop([*functions, *store])
    say("run", "stopped")
    return 0 if asked else 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def environment(url: str, stack_port: int | None) -> dict[str, str]:
    env = dict(os.environ)
    env.setdefault("CRONHUB_BASE_URL", url)
    env["PYTHONUNBUFFERED"] = "1"
    if stack_port is None:
        return env
    # Nothing of a real account may reach the emulated one's callers.
    env = {name: value for name, value in env.items() if not name.startswith("AWS_")}
    return env | {
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{stack_port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(stack_port),
        "BIND_HOST": LOOPBACK,
        "SERVICES": STACK_SERVICES,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(STATE / "state"),
        "LOG_LEVEL": "WARNING",
    }


def python_part(name: str, inherits: tuple[int, ...] = (), *, ends: bool = False) -> Part:
    arguments = [str(each) for each in inherits]
    return Part(
        _SHOWN_AS.get(name, name),
        [sys.executable, "-m", f"infra.local.{name}", *arguments],
        inherits=inherits,
        ends=ends,
    )


def stack_part(tables: Part) -> Part:
    return Part(
        "stack",
        [str(STACK_PYTHON), "-m", "infra.local.stack"],
        before_use=tables,
        output=STATE / "stack.log",
        stop_limit=STACK_STOP_LIMIT,
        loss="; what was written since its last clean stop is lost",
    )


def announce(url: str, endpoint: str) -> None:
    say("run", f"store at {endpoint}")
    say("run", f"CronHub is at {url} (Ctrl-C stops it)")
    for command in TRY_THIS:
        say("try", command.format(url=url))


if __name__ == "__main__":
    sys.exit(main())
