"""`define`: the running text with one form of an edited text put in, or some, loaded as the next version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import dedent
from typing import NamedTuple

from midflight.code.editing.running import running_at
from midflight.code.load.refused import Failure, load_error
from midflight.code.report.load_report import SHOWN, Diagnostic, LoadReport, summary
from midflight.code.source.bindings import Bindings
from midflight.code.source.compare import compare_texts
from midflight.code.source.line_map import line_map
from midflight.code.source.replace_definition import Block, NoDefinition, Replaced, block_at, blocks_in, put_in
from midflight.code.source.unit import syntax_problem
from midflight.code.state.module_text import module_text, state_names
from midflight.code.upgrade.upgrade import load_or_upgrade
from midflight.errors import LoadError
from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["Defined", "load_definition", "load_definitions"]


class Defined(NamedTuple):
    """A load of one definition or some: the dotted names, the report, and the other edits of the text, which stay out.

    `left_out` are names, of what differs from the version that runs now; None if the edited text is not a valid module.
    Diagnostics are at the lines of the edited text. A refusal is not raised: the report says it.
    """

    name: str
    report: LoadReport
    left_out: tuple[str, ...] | None

    @property
    def summary(self) -> str:
        """The summary for an echo area, in one line: that of the load, and the edits that it leaves out."""
        said = summary(self.report)
        if self.report.version is None:
            return said
        if self.left_out is None:
            return f"{said}; {self.name} only, the rest of the text is no whole module"
        if not self.left_out:
            return f"{said}; {self.name} only, nothing else differs"
        more = f" and {len(self.left_out) - SHOWN} more" if len(self.left_out) > SHOWN else ""
        return f"{said}; {self.name} only, other edits stay out: {', '.join(self.left_out[:SHOWN])}{more}"


def load_definition(path: str, source: str, line: int, *, is_method: bool = False) -> Defined:
    """Load the form around `line` of `source`, an edited text of the file `path`, and nothing else of it.

    A form is a definition, an assignment, an import, or a compound statement that binds names. The text that runs, with
    that form in the place of the one of its name, becomes the next version; servers are upgraded as by
    `load_or_upgrade`. With `is_method` the method or attribute of a class alone. The names of an assignment are new,
    whatever the program has made of them.
    Raises: NoDefinition, with nothing changed, if there is none at that line, or no place for it in what runs.
    """
    text = _with_newlines(source)
    return _load(path, text, [block_at(text, line, is_method=is_method)])


def load_definitions(path: str, source: str, first: int, last: int) -> tuple[Defined | None, str]:
    """Load the forms that stand on the lines from `first` to `last` of `source`, as one version.

    Returns: the load, None if there is no definition among these lines, and the other lines of them, to be evaluated.
    Raises: NoDefinition, with nothing changed, if there is no place for one of them in what runs.
    """
    text = _with_newlines(source)
    blocks, rest = blocks_in(text, first, last)
    return (_load(path, text, blocks) if blocks else None), "\n".join(rest)


def _with_newlines(source: str) -> str:
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _load(path: str, text: str, blocks: Sequence[Block]) -> Defined:
    """Load `blocks`, at least one, of the edited `text`."""
    running = running_at(path)
    name = ", ".join(block.name for block in blocks)
    if running is None:
        raise NoDefinition(f"{path} is not loaded, so there is nothing to put {name} into; load the file first")
    if running.text is None:
        raise NoDefinition(f"The text of the {running.name} that runs is not known; load the whole file first")
    for block in blocks:
        problem = _syntax(path, block)
        if problem is not None:
            error = load_error([Failure(running.name, path, (problem,))])
            return Defined(name, error.report, None)
    replaced = put_in(running.text, blocks[0])
    for block in blocks[1:]:
        replaced = put_in(replaced.text, block)
    try:
        report = load_or_upgrade(path, replaced.text, fresh=_assigned(blocks, replaced.text))
    except LoadError as error:
        report = error.report
    runs = running.text if report.version is None else replaced.text
    edited = _at_edited_lines(report, path, replaced, blocks[-1], text)
    return Defined(name, edited, _left_out(runs, text, blocks))


def _assigned(blocks: Sequence[Block], whole: str) -> list[str]:
    """Return the names of state that `blocks` assign, which are to be new; `whole` is the text to load."""
    found: list[str] = []
    for block in blocks:
        if block.kind in ("assignment", "compound"):
            text = dedent("\n".join(block.lines))
            found += [".".join((*block.classes, name)) for name in state_names(Bindings(parse_module(text), text))]
    if not any("." in name for name in found):
        return found
    inner = module_text(parse_module(whole), whole).inner.by_name
    return [name for name in found if "." not in name or name in inner]


def _syntax(path: str, block: Block) -> Diagnostic | None:
    indented = block.column > 0
    body = ["class _:"] * indented + list(block.lines)
    try:
        parse_module("\n" * (block.first - 1 - indented) + "\n".join(body), path)
    except UNPARSABLE as error:
        return syntax_problem(error, path)
    return None


def _at_edited_lines(report: LoadReport, path: str, replaced: Replaced, block: Block, text: str) -> LoadReport:
    """Return the report with its diagnostics at the lines of the edited text."""
    elsewhere = line_map(replaced.text, text)

    def to_edited(line: int) -> int:
        offset = line - replaced.first
        return block.first + offset if 0 <= offset < len(block.lines) else elsewhere(line)

    def moved(found: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
        for each in found:
            if each.path == path:
                each = replace(each, line=to_edited(each.line), end_line=to_edited(each.end_line))
            yield each

    return replace(report, warnings=tuple(moved(report.warnings)), refusals=tuple(moved(report.refusals)))


def _left_out(runs: str, text: str, blocks: Sequence[Block]) -> tuple[str, ...] | None:
    found = compare_texts(runs, text)
    if found is None:
        return None
    names = [*(each.name for each in found.differences), *(each.name for each in found.gone)]
    own = {name for block in blocks if not block.classes for name in block.names}
    return tuple(dict.fromkeys(name for name in names if name not in own))
