"""`Finding`: one fault of a new version, as a check hands it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from midflight.code.report.load_report import Diagnostic, Severity

__all__ = ["Finding", "in_characters", "moved", "problem_at"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a key that stays the same when lines move, and its diagnostic."""

    key: str
    problem: Diagnostic


def problem_at(path: str, node: Any, severity: Severity, message: str, code: str) -> Diagnostic:
    """Return a diagnostic about a node of a syntax tree, with columns as that has them."""
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return Diagnostic(path, node.lineno, node.col_offset, *end, severity, message, code)


def in_characters(finding: Finding, lines: Sequence[str]) -> Finding:
    """Return `finding` with columns in characters: Python's syntax tree counts bytes of UTF-8."""
    problem = finding.problem

    def characters(line: int, column: int) -> int:
        return len(lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    column = characters(problem.line, problem.column)
    end_column = characters(problem.end_line, problem.end_column)
    return replace(finding, problem=replace(problem, column=column, end_column=end_column))


def moved(finding: Finding, lines: int) -> Finding:
    """Return `finding` so many lines further down."""
    problem = finding.problem
    return replace(finding, problem=replace(problem, line=problem.line + lines, end_line=problem.end_line + lines))
