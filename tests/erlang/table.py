"""The table of all cases in docs/erlang.md, made from the cases and from the marks and docstrings of their tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from erlang.cases import GROUPS, Case, all_cases

TESTS = Path(__file__).parent
PAGE = TESTS.parents[1] / "docs" / "erlang.md"
MARKS = ("same", "differs")


@dataclass(frozen=True, slots=True)
class Twin:
    """The Python side of a case: the test that is named after it.

    `marks` are "same" or "differs", in a right test exactly one; `says` is why it differs, else the docstring's first
    paragraph; `has_differences` is whether it holds lines against Erlang's.
    """

    case: str
    file: str
    marks: tuple[str, ...]
    says: str
    has_differences: bool


def all_twins() -> list[Twin]:
    """Return the tests that are named after a case, or that look so; nothing is imported."""
    found = []
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(_marks(node)):
                found.append(_twin(node, path.name))
    return found


def _marks(node: ast.FunctionDef) -> Iterator[tuple[str, str | None]]:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Name(id=name) if name in MARKS:
                yield name, None
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(why))]) if name in MARKS:
                yield name, why


def _twin(node: ast.FunctionDef, file: str) -> Twin:
    marks = list(_marks(node))
    why = next((why for _, why in marks if why is not None), None)
    shown = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    asks_for = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return Twin(
        node.name.removeprefix("test_"), file, tuple(name for name, _ in marks), why or shown, "but" in asks_for
    )


HEAD = TESTS / "page.md"  # TOTAL, SAME and DIFFERING in it are numbers

COLUMNS = """\
| Case | What it shows of Erlang | Midflight | In Python |
|---|---|---|---|
"""


def page(cases: list[Case], twins: list[Twin]) -> str:
    """Return the text of docs/erlang.md."""
    by_case = {twin.case: twin for twin in twins}
    same = sum(twin.marks == ("same",) for twin in twins)
    head = HEAD.read_text(encoding="utf-8")
    for word, number in (("TOTAL", len(cases)), ("SAME", same), ("DIFFERING", len(cases) - same)):
        head = head.replace(word, str(number))
    parts = [head]
    for letter, title in GROUPS.items():
        rows = [_row(case, by_case[case.name]) for case in cases if case.group == letter]
        parts.append(f"## {title}\n\n{COLUMNS}{''.join(rows)}")
    return "\n".join(parts)


def _row(case: Case, twin: Twin) -> str:
    where = f"[{case.name}](../tests/erlang/cases/{case.source.name})"
    return f"| {where} | {_cell(case.shows)} | [{twin.marks[0]}](../tests/erlang/{twin.file}) | {_cell(twin.says)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(all_cases(), all_twins()), encoding="utf-8")
