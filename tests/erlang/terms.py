"""Python values in Erlang's notation, so that a case prints the same lines here as there.

A str is an atom, a tuple a tuple, a dict a map; True, False and None are `true`, `false` and `undefined`. An exception
with a traceback, as an exit reason, is {Name,stack}: OTP's is {Reason,Stack}.
"""

from __future__ import annotations

import re

from midflight import Down, Exit, Pid, Ref

ATOM = re.compile(r"[a-z][A-Za-z0-9_@]*")
WORDS = {True: "true", False: "false", None: "undefined"}


def text(term: object) -> str:
    """Return `term` as Erlang's ~0p prints it, a pid as <PID>, a ref as <REF>.

    Raises: TypeError for a value that Erlang has no term for.
    """
    match term:
        case True | False | None:
            return WORDS[term]
        case int() | float():
            return repr(term)
        case str():
            return term if ATOM.fullmatch(term) else f"'{term}'"
        case bytes():
            return f'<<"{term.decode()}">>'
        case Pid():
            return "<PID>"
        case Ref():
            return "<REF>"
        case Exit(pid, reason):
            return text(("EXIT", pid, reason))
        case Down(ref, pid, reason):
            return text(("DOWN", ref, "process", pid, reason))
        case BaseException():
            name = type(term).__name__
            return text((name, "stack") if term.__traceback__ is not None else (name,))
        case tuple():
            return "{" + ",".join(map(text, term)) + "}"
        case list():
            return "[" + ",".join(map(text, term)) + "]"
        case dict():
            return "#{" + ",".join(f"{text(key)} => {text(value)}" for key, value in sorted(term.items())) + "}"
    raise TypeError(f"no Erlang notation for {term!r}")
