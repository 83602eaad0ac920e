"""`EveryEdit`: the list of edits that every program goes through, one test each, each in a server of its own.

Whatever the edit, users stay connected and state stays: each test compares `state()` before and after. A report lists
what the edit did to the definitions, and names what goes on in old code.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from real.harness.edit import Edit
from real.harness.running import Running, Start

__all__ = ["EveryEdit"]

RAISES = "\n\nraise LookupError('the body was meant to fail')\n"
BROKEN = "\n\ndef broken(:\n"


class EveryEdit:
    """The list. A subclass has the program and its edits; `again` comes on top of `handler`."""

    program: ClassVar[type[Running]]
    handler: ClassVar[Edit]
    again: ClassVar[Edit]
    method: ClassVar[Edit]
    constant: ClassVar[Edit]
    added: ClassVar[Edit]
    renamed: ClassVar[Edit]

    @pytest.mark.parametrize("name", ["handler", "method", "constant", "added", "renamed"])
    def test_an_edit_takes_effect_and_is_told(self, start: Start, name: str) -> None:
        """The running program does the new thing, and the report lists what has changed and no more."""
        edit: Edit = getattr(self, name)
        with start(self.program) as program:
            state = program.state()
            assert edit.look(program) == edit.before

            done(program, edit)

            assert edit.look(program) == edit.after
            assert program.state() == state

    def test_two_loads_in_a_row(self, start: Start) -> None:
        """The second finds what the first one left."""
        with start(self.program) as program:
            state = program.state()
            done(program, self.handler)
            assert self.again.look(program) == self.again.before

            done(program, self.again)

            assert self.again.look(program) == self.again.after
            assert program.state() == state

    @pytest.mark.parametrize(("behind", "says"), [(BROKEN, "line"), (RAISES, "the body was meant to fail")])
    def test_a_load_that_is_refused_changes_nothing(self, start: Start, behind: str, says: str) -> None:
        """The program goes on as it was. The text, mended, is loaded as if nothing had been."""
        edit = self.handler
        with start(self.program) as program:
            state = program.state()
            whole = program.root.joinpath(edit.file).read_text(encoding="utf-8")
            program.write(edit, behind)

            report = program.load(edit.file)

            assert report["status"] == "failed", report["text"]
            assert says in report["text"]
            assert edit.look(program) == edit.before
            assert program.state() == state
            program.root.joinpath(edit.file).write_text(whole, encoding="utf-8")
            done(program, edit)
            assert edit.look(program) == edit.after
            assert program.state() == state

    def test_without_forward_nothing_is_old_in_silence(self, start: Start) -> None:
        """A handler that others hold may stay what it was; then the report names it."""
        edit = self.handler
        with start(self.program, forward=False) as program:
            state = program.state()

            report = done(program, edit)

            if edit.look(program) != edit.after:
                assert edit.look(program) == edit.before
                held = next(line for line in report["text"].splitlines() if "held" in line)
                assert [name for name in edit.changed if name not in held] == [], report["text"]
            assert program.state() == state


def done(program: Running, edit: Edit) -> dict[str, Any]:
    """Make an edit, load it, hold its report to what the edit says of it; return the report."""
    program.write(edit)
    report = program.load(edit.file)
    assert report["status"] == "loaded", report["text"]
    listed = {kind: tuple(report[kind]) for kind in ("added", "changed", "removed")}
    assert listed == {"added": edit.added, "changed": edit.changed, "removed": edit.removed}, report["text"]
    assert [each for each in edit.says if each not in report["text"]] == [], report["text"]
    return report
