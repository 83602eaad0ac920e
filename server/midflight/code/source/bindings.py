"""The module names that a statement reads, and the statements that bind a module's names. Nothing here runs code.

A statement reads a name when it runs, or later: in a method, in an annotation that is a string. Both count, because
a class that is kept must find the same behind each of them.
"""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
from collections.abc import Collection, Iterable, Iterator, Sequence
from types import CodeType
from typing import NamedTuple

from midflight.code.source.annotations import ANNOTATE
from midflight.code.source.definitions import said_by
from midflight.code.source.parts import Memory, Part, parts_of
from midflight.code.source.text_memory import TextMemory
from midflight.parsing import UNPARSABLE, parse_expression

__all__ = [
    "Binding",
    "Bindings",
    "Position",
    "bindings_of",
    "code_of",
    "codes_in",
    "feature_flags",
    "is_same",
    "qualified_reads_of",
    "reads_of",
]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Import = ast.Import | ast.ImportFrom
Loop = ast.For | ast.AsyncFor | ast.While
Position = tuple[int, int]  # line, from 1, and column in UTF-8 bytes, as in the syntax tree

# The operations on names other than locals, each with how far its argument is shifted: the lowest bit of LOAD_GLOBAL's
# is about a call.
GLOBAL_ACCESS = {
    dis.opmap[name]: int(name == "LOAD_GLOBAL")
    for name in "LOAD_GLOBAL LOAD_NAME LOAD_FROM_DICT_OR_GLOBALS STORE_GLOBAL DELETE_GLOBAL".split()
    if name in dis.opmap
}
STORE_NAME = dis.opmap["STORE_NAME"]
JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))

ATTRIBUTE_READS = ("LOAD_ATTR", "LOAD_METHOD")

# What a class body has of its own under names that a module may have too.
OF_THE_CLASS = frozenset({"__annotations__", "__classdict__", "__conditional_annotations__"})

# Those that take types as strings; the strings of others, as of namedtuple, are names of fields.
TAKES_TYPES = ("TypeVar", "NewType", "NamedTuple", "TypedDict")


# --- What a statement reads ----------------------------------------------------------------------------------


def feature_flags(tree: ast.Module) -> int:
    """Return the flags for the compiler that the module's `from __future__` imports stand for."""
    flags = 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    return flags


def code_of(statement: ast.stmt, file: str, flags: int, imported: Collection[str] = ()) -> CodeType:
    """Compile one statement of a module alone. Functions and classes in it have the same code as in the whole.

    `imported` are the names that the module binds by an import: the compiler calls attributes of those in another way.
    """
    body = [statement]
    if imported:  # below the statement: its own code stays as it is
        body.append(ast.Import([ast.alias(name, lineno=1, col_offset=0) for name in imported], lineno=1, col_offset=0))
    code: CodeType = compile(ast.Module(body, []), file, "exec", flags, dont_inherit=True)
    return code


def is_same(old: ast.stmt, old_lines: Sequence[str], new: ast.stmt, new_lines: Sequence[str]) -> bool:
    """Say whether two statements differ in their layout at most. The lines are those of their texts."""
    if _span(old, old_lines) == _span(new, new_lines):
        return True
    # What their definitions say is remembered, and mostly differs; but not in which order they stand.
    return said_by(old, old_lines) == said_by(new, new_lines) and ast.dump(old) == ast.dump(new)


def _span(statement: ast.stmt, lines: Sequence[str]) -> tuple[object, ...]:
    start = min(each.lineno for each in (statement, *getattr(statement, "decorator_list", ())))
    return statement.col_offset, statement.end_col_offset, lines[start - 1 : statement.end_lineno]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of all functions and classes in `code`, outer ones first, in the order of the text."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from codes_in(const)


def reads_of(statement: ast.stmt, code: CodeType) -> frozenset[str]:
    """Return the names that a statement, compiled as `code`, reads of its module or of the builtins.

    Too many rather than too few: a name of a class body that is set on some paths only counts.
    """
    found = {name for each in (code, *codes_in(code)) for name in _global_names(each)}
    return frozenset(found.union(_names_in_types(statement)) - OF_THE_CLASS)


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the names that `code` looks up outside of itself. By hand: `dis` takes ten times as long, for much more."""
    names, raw, extended = code.co_names, code.co_code, 0
    is_straight, stored = not code.co_exceptiontable, set()
    for at in range(0, len(raw), 2) if names else ():
        operation, argument = raw[at], raw[at + 1] | extended
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        if operation in GLOBAL_ACCESS and (name := names[argument >> GLOBAL_ACCESS[operation]]) not in stored:
            yield name
        elif operation == STORE_NAME and is_straight:
            stored.add(names[argument])  # from here on the class's own
        elif operation in JUMPS:
            is_straight = False


_chains: Memory[tuple[bytes, tuple[str, ...]], frozenset[tuple[str, ...]]] = Memory(4096)  # by byte code and names


def qualified_reads_of(code: CodeType, roots: Collection[str] | None = None) -> frozenset[tuple[str, ...]]:
    """Return the reads `a.b.c` that a statement, compiled as `code`, does when it runs, not in a function later.

    Such a read through a module takes what is there at that time, though the name `a` stays the same. With `roots` only
    those that begin with one of these names need be among them.
    """
    wanted = None if roots is None else frozenset(roots)
    found: set[tuple[str, ...]] = set()
    waiting = [code]
    for each in waiting:  # grows as it goes
        waiting += [const for const in each.co_consts if isinstance(const, CodeType) and _runs_at_once(const)]
        if wanted is not None and wanted.isdisjoint(each.co_names):
            continue
        found |= _chains.get((each.co_code, each.co_names), _chains_in, each)
    return frozenset(found)


def _chains_in(code: CodeType) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    chain: tuple[str, ...] = ()
    for instruction in dis.get_instructions(code):
        if instruction.opcode in GLOBAL_ACCESS:
            chain = (instruction.argval,)
        elif instruction.opname in ATTRIBUTE_READS and chain:
            chain = (*chain, instruction.argval)
            found.add(chain)
        elif instruction.opname not in ("CACHE", "EXTENDED_ARG", "PUSH_NULL"):
            chain = ()
    return frozenset(found)


def _runs_at_once(code: CodeType) -> bool:
    """Say whether `code` is a class body, a comprehension, or annotations.

    Those run later from Python 3.14 on, but a decorator or a metaclass may run them as soon as there is a class.
    """
    if code.co_name.startswith("<"):
        return code.co_name != "<lambda>"
    return code.co_name == ANNOTATE or not code.co_flags & inspect.CO_OPTIMIZED


def _names_in_types(statement: ast.stmt) -> Iterator[str]:
    """Yield the names in annotations and other types, which may be strings that something looks up later."""
    waiting = [statement]
    for each in waiting:  # grows as it goes
        match each:
            case ast.AnnAssign(annotation=kind):
                yield from _names_in_type(kind)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                every = each.args
                arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
                for one in (each.returns, *(argument.annotation for argument in arguments if argument is not None)):
                    if one is not None:
                        yield from _names_in_type(one)
            case ast.ClassDef(bases=bases):
                for base in bases:
                    yield from _names_in_type(base)
        for _, value in ast.iter_fields(each):
            for block in _blocks(value):
                waiting += block
    match statement:
        case ast.Assign(value=ast.Call() as call) | ast.AnnAssign(value=ast.Call() as call):
            maker = call.func
            if getattr(maker, "id", None) in TAKES_TYPES or getattr(maker, "attr", None) in TAKES_TYPES:
                for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                    yield from _names_in_type(argument)


def _names_in_type(kind: ast.expr) -> Iterator[str]:
    match kind:
        case ast.Constant(value=str(text)):
            try:
                yield from _names_in_type(parse_expression(text.strip()))
            except UNPARSABLE:
                return  # no type, so nobody can look it up
        case ast.Name(id=name):
            yield name
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal")):
            yield from _names_in_type(kind.value)
        case ast.Subscript(
            value=ast.Name(id="Annotated") | ast.Attribute(attr="Annotated"), slice=ast.Tuple(elts=[first, *notes])
        ):
            yield from _names_in_type(kind.value)
            yield from _names_in_type(first)
            yield from (node.id for note in notes for node in ast.walk(note) if isinstance(node, ast.Name))
        case _:
            for child in ast.iter_child_nodes(kind):
                if isinstance(child, ast.expr):
                    yield from _names_in_type(child)


# --- What binds the names of a module --------------------------------------------------------------------------


_rebound: Memory[str, frozenset[str]] = Memory(8192)


def _rebound_in(part: Part) -> frozenset[str]:
    nodes = (node for statement in part.statements for node in ast.walk(statement))
    return frozenset(name for node in nodes if isinstance(node, ast.Global) for name in node.names)


class Binding(NamedTuple):
    """One place where a module binds a name. `statement` is the innermost one that does."""

    place: Position
    statement: ast.stmt


class Bindings:
    """The names that the body of a module binds, each with every place that does, in the order of the text.

    `rebound` are those that some function may bind again by `global`, and `rebinders` the statements of the module with
    such a function; `touched` those that the body sets an attribute
    or an item of; `stars` the places of star imports, which bind nobody knows what; `imported` the names that an import
    binds, wherever else they are bound.
    """

    def __init__(self, tree: ast.Module, text: str) -> None:
        self.by_name: dict[str, list[Binding]] = {}
        self.statements: list[
            tuple[ast.stmt, bool]
        ] = []  # of the module's scope but of no loop; whether it surely runs
        self.rebound: set[str] = set()
        self.rebinders: dict[str, list[ast.stmt]] = {}
        self.touched: set[str] = set()
        self.stars: list[Position] = []
        self.imported: set[str] = set()
        self._read(tree.body, is_sure=True)
        if "global" in text:
            for part in parts_of(tree, text):
                if "global" in part.text:
                    names = _rebound.get(part.text, _rebound_in, part)
                    self.rebound |= names
                    for name in names:
                        self.rebinders.setdefault(name, []).extend(part.statements)

    def single(self, name: str) -> ast.stmt | None:
        """Return the statement that binds `name`, if just one place does."""
        found = self.by_name.get(name, [])
        return found[0].statement if len(found) == 1 else None

    def is_bound_after(self, name: str, place: Position) -> bool:
        """Say whether the body binds `name`, or may, after `place`. No star import binds names as `__name__`."""
        return any(binding.place > place for binding in self.by_name.get(name, ())) or (
            any(star > place for star in self.stars) and not name.startswith("__")
        )

    def _read(self, body: Iterable[ast.stmt], *, is_sure: bool, in_loop: bool = False) -> None:
        for statement in body:
            if not in_loop:
                self.statements.append((statement, is_sure))
            is_import = isinstance(statement, Import)
            for name in self._bound_by(statement):
                if is_import:
                    self.imported.add(name)
                self.by_name.setdefault(name, []).append(Binding((statement.lineno, statement.col_offset), statement))
            if isinstance(statement, Definition):
                continue
            for _, value in ast.iter_fields(statement):
                for block in _blocks(value):
                    self._read(block, is_sure=False, in_loop=in_loop or isinstance(statement, Loop))

    def _bound_by(self, statement: ast.stmt) -> Iterator[str]:
        """Yield the names that a statement binds, without those of the statements inside it."""
        waiting: list[ast.AST] = [statement]  # no recursion: the tree of a sum is as deep as that is long
        for node in waiting:  # grows as it goes
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield name
                    yield from _assigned_in(node.decorator_list)
                    continue
                case ast.Lambda():
                    continue
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    yield from _assigned_in([node])
                    continue
                case ast.ImportFrom(names=[ast.alias(name="*")]):
                    self.stars.append((node.lineno, node.col_offset))
                case ast.alias(name=name, asname=other):
                    yield other or name.partition(".")[0]
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    yield name
                case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                    self._touch(node)
                case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_]):
                    self._touch(target)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    yield name
                case ast.MatchMapping(rest=str(name)):
                    yield name
            waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]

    def _touch(self, target: ast.expr) -> None:
        while isinstance(target, (ast.Attribute, ast.Subscript)):
            target = target.value
        if isinstance(target, ast.Name):
            self.touched.add(target.id)


def _blocks(value: object) -> Iterator[list[ast.stmt]]:
    """Yield the blocks in a field of a compound statement: its body, those of its handlers or cases."""
    if isinstance(value, list) and value:
        if isinstance(value[0], ast.stmt):
            yield value
        elif isinstance(value[0], (ast.ExceptHandler, ast.match_case)):
            yield from (each.body for each in value)


def _assigned_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that `:=` binds in them: not the variable of a comprehension, which is its own."""
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.NamedExpr):
                yield each.target.id


_bindings: TextMemory[Bindings] = TextMemory()


def bindings_of(tree: ast.Module, text: str) -> Bindings:
    """Return the bindings of a text and its tree, which are remembered for the last few texts."""
    return _bindings.get(text, tree, Bindings, tree, text)
