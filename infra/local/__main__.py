"""`make run`: CronHub on this machine, with all it needs. `python -m infra.local PART` runs one part alone."""

import os
import sys
from importlib import import_module

from chalicelib import settings
from infra.local import chosen_store, listening, older_state
from infra.local.folder import ROOT, STATE, BusyFolder, holds_a_store, state_folder, take
from infra.local.log import say
from infra.local.parent_watch import SUPERVISED
from infra.local.supervisor import MAX_STARTUP_FAILURES, Part, Supervisor

# What a part is called in the log and on the command line, where that says more than its module.
_SHOWN_AS = {"eventbridge": "tick"}
_ALONE = {
    "api": "api",
    "tick": "eventbridge",
    "notify": "notify",
    "evaluate": "evaluate",
    "tables": "tables",
    "backup": "backup",
    "restore": "restore",
}
# More would wait for each other at the one file.
_MOST_API_PROCESSES = 4
# All at once, they would keep each other from answering.
_AFTER_THE_API_SECONDS = 1.0

TRY_THIS = (
    """curl -X POST {url}/api/orgs -d '{{"name":"My org","slug":"my-org"}}' """
    "-H 'Content-Type: application/json'",
    """curl -X POST {url}/api/orgs/my-org/api-keys -d '{{"name":"first"}}' """
    "-H 'Content-Type: application/json'",
    "curl {url}/api/crons -H 'Authorization: Bearer ch_...'",
)


def main(arguments: list[str]) -> int:
    if not arguments:
        return run_all()
    module = _ALONE.get(arguments[0])
    if module is None:
        say("run", f"{arguments[0]} is no part of CronHub: it has {', '.join(_ALONE)}")
        return 2
    try:
        settings.check()
    except settings.BadSetting as reason:
        say("run", str(reason))
        return 1
    return run_alone(module, arguments[1:])


def run_alone(module: str, arguments: list[str]) -> int:
    from infra.local.store.errors import StoreFileError

    try:
        return int(import_module(f"infra.local.{module}").main(arguments))
    except (StoreFileError, listening.Refusal) as reason:
        say("run", str(reason))
        return 1


def run_all() -> int:
    try:
        settings.check()
        address = listening.wanted_address()
        lock = take(state_folder())
        sockets = listening.listen(address)
    except (listening.Refusal, settings.BadSetting, BusyFolder) as reason:
        say("run", str(reason))
        return 1
    url = f"http://localhost:{address.port}"
    supervisor = Supervisor(environment(url), ROOT, shared=(lock,))
    tables = python_part("tables", ends=True)
    handed_down = tuple(each.fileno() for each in sockets)
    functions = [
        *(python_part("api", handed_down, core=core) for core in api_cores()),
        *(python_part(name) for name in ("eventbridge", "notify", "evaluate")),
    ]
    # A store that was used before has its tables; what a new release adds is there before the API is.
    if was_used_before():
        supervisor.start(tables)
        is_ready = True
    else:
        is_ready = supervisor.run_until_done(tables)
    if is_ready:
        supervisor.start(functions[0])
        for part in functions[1:]:
            supervisor.start_later(part, _AFTER_THE_API_SECONDS)
        announce(url)
        supervisor.watch()
    if tables.failures >= MAX_STARTUP_FAILURES:
        say("run", "the store did not come up")
    asked = supervisor.stop_signal.received
    say("run", "stopping")
    for each in sockets:
        each.close()
    supervisor.stop([*functions, tables])
    say("run", "stopped")
    return 0 if asked else 1


def was_used_before() -> bool:
    return chosen_store.endpoint() is None and holds_a_store() and not older_state.is_there()


def api_cores() -> list[int | None]:
    """One for each process of the API: None where it may run anywhere."""
    if not hasattr(os, "sched_getaffinity"):
        return [None]
    cores = sorted(os.sched_getaffinity(0))[:_MOST_API_PROCESSES]
    return [*cores] if len(cores) > 1 else [None]


def environment(url: str) -> dict[str, str]:
    """What the parts are given: each learns where CronHub is, and that it is not alone."""
    return {
        "CRONHUB_BASE_URL": url,
        # Here a look costs nothing.
        "CRONHUB_LOOK_EVERY_SECONDS": "5",
        **os.environ,
        STATE: str(state_folder()),
        SUPERVISED: "1",
        "PYTHONUNBUFFERED": "1",
    }


def python_part(name: str, inherits: tuple[int, ...] = (), *, core: int | None = None, ends: bool = False) -> Part:
    return Part(
        _SHOWN_AS.get(name, name),
        [sys.executable, "-m", f"infra.local.{name}", *(str(each) for each in inherits)],
        inherits=inherits,
        core=core,
        ends=ends,
    )


def announce(url: str) -> None:
    say("run", f"store at {chosen_store.endpoint() or state_folder()}")
    say("run", f"CronHub is at {url} (Ctrl-C stops it)")
    for command in TRY_THIS:
        say("try", command.format(url=url))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
