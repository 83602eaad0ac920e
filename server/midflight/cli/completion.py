"""`midflight completion SHELL`: the script by which bash, zsh or fish completes commands, options, modules and names.

    eval "$(midflight completion bash)"

Commands and options stand in the script. Modules and processes are asked of the server while one completes: the script
calls `midflight completion --words KIND`, which prints nothing if no server runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from midflight.cli.parser import parser
from midflight.cli.show import attach
from midflight.errors import MidflightError

__all__ = ["completion"]

KINDS = {"MODULE": "modules", "MODULE_OR_FILE": "modules", "PID": "processes", "NAME": "servers"}
"""The words to ask for, by how --help names an argument."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a shell completes it. `words` is "modules", "processes" or "", then files are completed."""

    name: str
    help: str
    options: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    words: str


def completion(options: argparse.Namespace) -> int:
    """Print the script of a shell, or words that it asks for."""
    if options.words:
        print("\n".join(_words(options)))
        return 0
    commands = _commands()
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell or "bash"](commands), end="")
    return 0


def _words(options: argparse.Namespace) -> list[str]:
    """Return the modules, or the names and pids of processes, that the server has; none if it does not answer."""
    try:
        with attach(options) as client:
            if options.words == "modules":
                return list(client.call("look/modules", timeout_seconds=2.0) or ())
            rows = client.call("process/changes", {"limit": 500}, timeout_seconds=2.0)["rows"] or ()
            return [name or pid for pid, name, *_ in rows]
    except (MidflightError, TimeoutError, ValueError):
        return []  # while one completes there is nowhere to say why


def _commands() -> list[Command]:
    found = []
    for name, added in _choices(parser()).items():
        switches = [each for each in added._actions if each.option_strings]
        positional = next((each for each in added._actions if not each.option_strings), None)
        kind = "" if positional is None else KINDS.get(str(positional.metavar), "")
        if positional is not None and positional.choices:
            kind = " ".join(map(str, positional.choices))
        found.append(
            Command(
                name,
                (added.description or "").rstrip("."),
                tuple(sorted(each.option_strings[-1] for each in switches)),
                {each.option_strings[-1]: tuple(map(str, each.choices)) for each in switches if each.choices},
                kind,
            )
        )
    return sorted(found, key=lambda command: command.name)


def _choices(made: argparse.ArgumentParser) -> dict[str, Any]:
    (action,) = (each for each in made._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


def _asked(words: str) -> str:
    return f"$(midflight completion --words {words} 2>/dev/null)" if words in ("modules", "processes") else words


def _bash(commands: list[Command]) -> str:
    cases = "".join(
        f"        {each.name}) options='{' '.join(each.options)}'; kind='{each.words}' ;;\n" for each in commands
    )
    choices = "".join(
        f"        '{each.name} {option}') COMPREPLY=($(compgen -W '{' '.join(words)}' -- \"$word\")); return ;;\n"
        for each in commands
        for option, words in each.choices.items()
    )
    return f"""\
_midflight() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options kind asked
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '{" ".join(each.name for each in commands)}' -- "$word"))
        return
    fi
    case "${{COMP_WORDS[1]}} $before" in
{choices}    esac
    case ${{COMP_WORDS[1]}} in
{cases}        *) return ;;
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    elif [[ $kind == modules || $kind == processes ]]; then
        asked=$(midflight completion --words $kind 2>/dev/null)
        COMPREPLY=($(compgen -W "$asked" -- "$word") $(compgen -f -- "$word"))
    elif [[ -n $kind ]]; then
        COMPREPLY=($(compgen -W "$kind" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _midflight midflight
"""


def _zsh(commands: list[Command]) -> str:
    names = "\n".join(f"        '{each.name}:{_plain(each.help)}'" for each in commands)
    cases = ""
    for each in commands:
        words = f'compadd -- ${{(f)"{_asked(each.words)}"}}' if each.words in ("modules", "processes") else ""
        if each.words and not words:
            words = f"compadd -- {each.words}"
        cases += f"        {each.name}) options=({' '.join(each.options)}); {words or ':'} ;;\n"
    return f"""\
#compdef midflight
_midflight() {{
    local -a commands options
    commands=(
{names}
    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    case $words[2] in
{cases}    esac
    [[ $PREFIX == -* ]] && compadd -- $options || _files
}}
compdef _midflight midflight
"""


def _fish(commands: list[Command]) -> str:
    lines = ["complete -c midflight -f"]
    for each in commands:
        lines.append(f"complete -c midflight -n __fish_use_subcommand -a {each.name} -d '{_plain(each.help)}'")
        seen = f"-n '__fish_seen_subcommand_from {each.name}'"
        for option in each.options:
            words = f" -x -a '{' '.join(each.choices[option])}'" if option in each.choices else ""
            lines.append(
                f"complete -c midflight {seen} -l {option.lstrip('-')}{words}"
                if option.startswith("--")
                else f"complete -c midflight {seen} -s {option.lstrip('-')}{words}"
            )
        if each.words in ("modules", "processes"):
            lines.append(f"complete -c midflight {seen} -a '(midflight completion --words {each.words} 2>/dev/null)'")
        elif each.words:
            lines.append(f"complete -c midflight {seen} -a '{each.words}'")
        if each.words in ("", "modules"):
            lines.append(f"complete -c midflight {seen} -F")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return `text` for single quotes, in a list whose parts a colon separates."""
    return text.replace("'", "").replace(":", ",")
