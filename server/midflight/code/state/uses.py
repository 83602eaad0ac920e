"""The use that the body of a module makes of its names when it runs: calls, and names only passed on. Pure.

To pass a value on leaves it alone: `alias = LOCK`, `def f(lock=LOCK)`, `{"lock": LOCK}`, `len(CLIENTS)`. Anything else
may change it or depend on it: a call of it or with it, an attribute, an item that is set, a decorator, a base class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["Footprint", "footprint_of", "statements_in"]

# Builtins that leave their arguments as they are.
HARMLESS = frozenset(
    "all any bool bytes dict enumerate float frozenset hash id int isinstance issubclass len list max min print range "
    "repr reversed set sorted str sum tuple type zip".split()
)


@dataclass(slots=True)
class Footprint:
    """The names that one statement uses, passes on and calls when it runs, and the methods that it calls by name."""

    used: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    def add(self, other: Footprint) -> None:
        """Take in the footprint of another statement."""
        self.used |= other.used
        self.passed |= other.passed
        self.called |= other.called
        self.methods |= other.methods

    def names(self) -> set[str]:
        """Return all names that it reads."""
        return self.used | self.passed | self.called


def footprint_of(statement: ast.stmt) -> Footprint:
    """Return the footprint of a statement of the module's scope, without that of the statements in its blocks."""
    found = Footprint()
    reader = _Reader(found)
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            reader.function(statement)
        case ast.ClassDef():
            reader.class_(statement)
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                reader.use(item.context_expr)
        case ast.AugAssign():
            reader.pass_on(statement.value)
            reader.target(statement.target)
        case ast.Assign() | ast.AnnAssign():
            reader.pass_on(statement.value)
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                reader.target(target)
        case ast.Delete(targets=targets):
            for target in targets:
                reader.target(target)
        case ast.Match(subject=subject):
            reader.pass_on(subject)
        case _:
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.expr):
                    reader.pass_on(child)
    return found


class _Reader:
    def __init__(self, found: Footprint) -> None:
        self._found = found

    def pass_on(self, node: ast.expr | None) -> None:
        self._read(node, is_used=False)

    def use(self, node: ast.expr) -> None:
        self._read(node, is_used=True)

    def target(self, node: ast.expr) -> None:
        match node:
            case ast.Attribute(value=value):
                self.use(value)
            case ast.Subscript(value=value, slice=index):
                self.use(value)
                self.pass_on(index)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for each in elements:
                    self.target(each)
            case ast.Starred(value=value):
                self.target(value)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for each in node.decorator_list:
            self._call(each)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.pass_on(default)

    def class_(self, node: ast.ClassDef) -> None:
        for each in node.decorator_list:
            self._call(each)
        for base in node.bases:
            self.use(base)
            if isinstance(base, ast.Name):  # its __init_subclass__
                self._found.called.add(base.id)
        for keyword in node.keywords:
            self.use(keyword.value)
        for statement in statements_in(node.body):
            inner = footprint_of(statement)
            self._found.add(inner)

    def _call(self, function: ast.expr) -> None:
        """Note that the value of an expression is called."""
        match function:
            case ast.Name(id=name):
                self._found.called.add(name)
            case ast.Attribute(value=value, attr=name):
                self._found.methods.add(name)
                self.use(value)
            case _:
                self.use(function)

    def _read(self, node: ast.expr | None, *, is_used: bool) -> None:
        found = self._found
        match node:
            case None | ast.Constant() | ast.Lambda():
                pass
            case ast.Name(id=name):
                (found.used if is_used else found.passed).add(name)
            case ast.Call(func=function):
                self._call(function)
                is_harmless = isinstance(function, ast.Name) and function.id in HARMLESS
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    self._read(argument, is_used=not is_harmless and not isinstance(argument, ast.Starred))
            case ast.Attribute(value=value):
                self.use(value)
            case ast.Subscript(value=value, slice=index):
                self._read(value, is_used=is_used)
                self.pass_on(index)
            case ast.NamedExpr(value=value) | ast.Starred(value=value) | ast.Await(value=value):
                self._read(value, is_used=is_used)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                self.pass_on(test)
                self._read(body, is_used=is_used)
                self._read(otherwise, is_used=is_used)
            case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
                for each in values:
                    self._read(each, is_used=is_used)
            case ast.Dict(keys=keys, values=values):
                for part in (*keys, *values):
                    self._read(part, is_used=is_used)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._any(child)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Read a comprehension. Its variables are its own, whatever else has their names in the module."""
        inside = _Reader(Footprint())
        for child in ast.iter_child_nodes(node):
            inside._any(child)
        own = {
            each.id
            for part in node.generators
            for each in ast.walk(part.target)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        for names in (inside._found.used, inside._found.passed, inside._found.called):
            names -= own
        self._found.add(inside._found)
        self.pass_on(node.generators[0].iter)  # the first is read outside of it

    def _any(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self.pass_on(node)
        else:
            for child in ast.iter_child_nodes(node):
                self._any(child)


def statements_in(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, and those in their blocks, but for functions and classes."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for _, value in ast.iter_fields(statement):
            if isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.stmt):
                        yield from statements_in([each])
                    elif isinstance(each, ast.ExceptHandler | ast.match_case):
                        yield from statements_in(each.body)
