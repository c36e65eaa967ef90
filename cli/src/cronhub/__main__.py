"""`cronhub COMMAND`: finds the command, runs it, and says in one line what the user has to change."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import NamedTuple, NoReturn

from cronhub import __version__
from cronhub.settings import UsageError

#: As sysexits.h and other tools have them.
USAGE, TRY_LATER = 2, 75


class Command(NamedTuple):
    module: str
    help: str


#: What there is. A command's module is loaded only where it is used.
COMMANDS = {
    "exec": Command("run_job", "run a command and report its start, its end and its output"),
    "status": Command("status", "show the crons, the worst first"),
    "watch": Command("watch", "show the crons live"),
    "runs": Command("runs", "show the last runs of a cron"),
    "incidents": Command("incidents", "show what is wrong"),
    "ack": Command("ack", "acknowledge incidents, or resolve them"),
    "pause": Command("pause", "stop watching crons for a time"),
    "resume": Command("resume", "watch them again"),
    "discover": Command("discover", "find scheduled jobs, register them, and make crontabs report"),
    "plan": Command("plan", "show what apply would do"),
    "apply": Command("apply", "make an organization have what a file says"),
    "export": Command("export", "write what an organization has as such a file"),
    "import": Command("import_checks", "take over the checks of Healthchecks, Cronitor or Sentry"),
    "systemd": Command("systemd", "report the runs of a systemd service, from its unit"),
    "agent": Command("agent", "watch the CronJobs of a Kubernetes cluster"),
    "flush": Command("flush", "send the reports that wait because CronHub could not be reached"),
    "completion": Command("completion", "write the completion of bash, zsh or fish"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}", file=sys.stderr)
        print(f"Try `{self.prog} --help`.", file=sys.stderr)
        raise SystemExit(USAGE)


def parser_of(name: str) -> argparse.ArgumentParser:
    module = importlib.import_module(f"cronhub.commands.{COMMANDS[name].module}")
    parser = _Parser(
        prog=f"cronhub {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.options(parser)
    parser.set_defaults(run=module.run)
    return parser


def overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: cronhub COMMAND [options]",
            "",
            "Watches cron jobs with CronHub. `cronhub COMMAND --help` says more of each.",
            "",
            *lines,
            "",
            "CRONHUB_URL      where CronHub is (http://localhost:4000 unless set)",
            "CRONHUB_API_KEY  your key",
            "Both may also stand in ~/.config/cronhub/config: url = … and api_key = …",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    if not given or given[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if given else USAGE
    if given[0] in ("-V", "--version"):
        print(f"cronhub {__version__}")
        return 0
    if given[0] not in COMMANDS:
        print(f"cronhub: there is no command {given[0]!r}; `cronhub --help` lists them", file=sys.stderr)
        return USAGE
    try:
        return _run(given[0], given[1:])
    except BrokenPipeError:
        # The reader has gone: `cronhub runs backup | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _run(name: str, arguments: list[str]) -> int:
    from cronhub.client import Refused, Unreachable

    try:
        parsed = parser_of(name).parse_args(arguments)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except SystemExit as ended:
        # argparse ends so, having said why.
        return ended.code if isinstance(ended.code, int) else 0
    except UsageError as error:
        print(f"cronhub: {error}", file=sys.stderr)
        return USAGE
    except Refused as error:
        print(f"cronhub: {error}", file=sys.stderr)
        return 1
    except Unreachable as error:
        print(f"cronhub: CronHub cannot be reached: {error}", file=sys.stderr)
        return TRY_LATER
    return status


if __name__ == "__main__":
    sys.exit(main())
