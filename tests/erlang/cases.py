"""The differential cases: what is in the folder `cases`, and what Erlang answered to each.

A case is NAME.erl or NAME.exs, run on a node as the module of that name, the latter on Elixir's, those of group d on
one that starts another node; or NAME.shell, typed into Erlang's shell. Its first line
says what it shows; NAME.expected is what Erlang/OTP 25 prints, with pids, refs, funs, the shell's version and the lines
of OTP's own sources replaced by <PID>, <REF>, <FUN>, <N>.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
FIXTURES = CASES / "fixtures"
SUFFIXES = (".erl", ".exs", ".shell")
GROUPS = {"p": "Processes and behaviours", "d": "Nodes", "e": "Elixir's library", "h": "Hot code", "s": "Shell"}

VOLATILE = (
    (r"<\d+\.\d+\.\d+>", "<PID>"),
    (r"#Ref<[\d.]+>", "<REF>"),
    (r"#Fun<[^>]*>", "<FUN>"),
    (r"^Eshell V[\d.]+", "Eshell V<N>"),
    (r'(\{file,"(?:erl_eval|shell)\.erl"\},\{line,)\d+', r"\1<N>"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `shows` is its first line, without the comment sign."""

    name: str
    source: Path
    shows: str

    @property
    def group(self) -> str:
        """Return the letter that its name begins with: p, d, e, h or s."""
        return self.name[0]

    @property
    def expected(self) -> str:
        """Return what Erlang prints, as it was recorded."""
        return self.source.with_suffix(".expected").read_text(encoding="utf-8")


def all_cases() -> list[Case]:
    """Return every case, by name; the helper t.erl, and what has no .expected, is none."""
    found = []
    for source in sorted(CASES.iterdir()):
        if source.suffix in SUFFIXES and source.with_suffix(".expected").exists():
            first = source.read_text(encoding="utf-8").partition("\n")[0]
            found.append(Case(source.stem, source, first.lstrip("%# ")))
    return found


def normalised(output: str) -> str:
    """Replace what differs from run to run."""
    for pattern, name in VOLATILE:
        output = re.sub(pattern, name, output, flags=re.MULTILINE)
    return output
