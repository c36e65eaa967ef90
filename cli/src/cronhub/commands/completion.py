"""Writes the completion of bash, zsh or fish.

bash: cronhub completion bash > ~/.local/share/bash-completion/completions/cronhub
zsh:  cronhub completion zsh > a folder of $fpath/_cronhub
fish: cronhub completion fish > ~/.config/fish/completions/cronhub.fish
"""

from __future__ import annotations

import argparse

from cronhub.client import Call, Refused, Unreachable, with_key
from cronhub.settings import UsageError, load

#: Commands that take crons' names, and the option that does.
_OF_CRONS = ("runs", "pause", "resume", "ack", "status", "watch")
_NAME_OPTION = "--cron"
#: A person waits for it after pressing Tab.
_PATIENCE = 2.0


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "names"), help="names: those of the crons")


def run(arguments: argparse.Namespace) -> int:
    if arguments.shell == "names":
        _print_names()
    else:
        print({"bash": _bash, "zsh": _zsh, "fish": _fish}[arguments.shell](), end="")
    return 0


def _print_names() -> None:
    """Nothing, where they cannot be had: a completion must not complain."""
    try:
        call = Call("GET", "/api/crons", {"limit": 1000}, timeout=_PATIENCE)
        for cron in with_key(load()).send(call)["crons"]:
            print(f"{cron['product']}/{cron['service']}/{cron['name']}")
    except (Unreachable, Refused, UsageError):
        pass


def words_of(name: str) -> list[str]:
    """The options of a command, and the words that it takes."""
    from cronhub.__main__ import parser_of

    found: list[str] = []
    for action in parser_of(name)._actions:
        found += action.option_strings or [str(choice) for choice in action.choices or ()]
    return found


def _cases() -> dict[str, str]:
    from cronhub.__main__ import COMMANDS

    return {name: " ".join(words_of(name)) for name in COMMANDS}


def _bash() -> str:
    cases = "\n".join(f'        {name}) words="{words}" ;;' for name, words in _cases().items())
    return f"""# bash completion of cronhub
_cronhub() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words= names=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{" ".join(_cases())} --help --version" -- "$current"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    case ${{COMP_WORDS[1]}} in
        {"|".join(_OF_CRONS)}) names=1 ;;
    esac
    if [ "$before" = {_NAME_OPTION} ] || {{ [ -n "$names" ] && [[ $current != -* ]]; }}; then
        local IFS=$'\\n'
        COMPREPLY=($(compgen -W "$(cronhub completion names 2>/dev/null)" -- "$current"))
        return
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -o bashdefault -F _cronhub cronhub
"""


def _zsh() -> str:
    from cronhub.__main__ import COMMANDS

    commands = "\n".join(f"        {_quoted(f'{name}:{command.help}')}" for name, command in COMMANDS.items())
    cases = "\n".join(f"        {name}) options=({words}) ;;" for name, words in _cases().items())
    return f"""#compdef cronhub
_cronhub() {{
    local -a commands options names
    commands=(
{commands}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case $words[2] in
{cases}
    esac
    [[ $words[2] == ({"|".join(_OF_CRONS)}) && $words[CURRENT] != -* ]] && names=(yes)
    if [[ $words[CURRENT-1] == {_NAME_OPTION} || -n $names ]]; then
        names=(${{(f)"$(cronhub completion names 2>/dev/null)"}})
        compadd -a names
        return
    fi
    compadd -a options
    _files
}}
_cronhub "$@"
"""


def _fish() -> str:
    from cronhub.__main__ import COMMANDS, parser_of

    lines = [
        "# fish completion of cronhub",
        "complete -c cronhub -f -n __fish_use_subcommand -l help -d 'show what there is'",
    ]
    for name, command in COMMANDS.items():
        lines.append(f"complete -c cronhub -f -n __fish_use_subcommand -a {name} -d {_quoted(command.help)}")
        within = f"-n '__fish_seen_subcommand_from {name}'"
        for action in parser_of(name)._actions:
            flags = list(action.option_strings)
            if flags:
                named = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in flags)
                takes = "" if action.nargs == 0 else " -r"
                lines.append(f"complete -c cronhub {within} {named}{takes} -d {_quoted(action.help or '')}")
            elif action.choices:
                lines.append(f"complete -c cronhub -f {within} -a {_quoted(' '.join(map(str, action.choices)))}")
    of_crons = " ".join(_OF_CRONS)
    lines.append(
        f"complete -c cronhub -f -n '__fish_seen_subcommand_from {of_crons}' -a '(cronhub completion names)'"
    )
    lines.append(
        "complete -c cronhub -f -n '__fish_seen_subcommand_from exec' -l cron -r -a '(cronhub completion names)'"
    )
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
