"""A refusal: the program's own body is at work in a statement that a load would run a second time.

A script that starts its work at the top level, and not below `if __name__ == "__main__":`, is at that line as long as
it runs. A load of its file runs the body again: a second loop over the input, a second server on the port.
"""

from __future__ import annotations

import sys

from midflight.code.checks.finding import problem_at
from midflight.code.load.refused import refused
from midflight.code.source.program import running_statement
from midflight.code.source.unit import Unit
from midflight.code.version.import_watch import imported_text
from midflight.parsing import module_or_none

__all__ = ["check_program"]


def check_program(unit: Unit) -> None:
    """Refuse `unit`, the file of the program, if its body would do again what it is doing. Raises: Refused."""
    module = sys.modules[unit.name]
    text = imported_text(module)
    now = None if text is None else module_or_none(text)
    statement = None if now is None else running_statement(now, unit.tree)
    if statement is None:
        return
    why = f"the program is at line {statement.lineno} of this file, and a load would run that a second time"
    raise refused(unit, [problem_at(unit.path, unit.tree.body[0], "error", why, "program-runs")])
