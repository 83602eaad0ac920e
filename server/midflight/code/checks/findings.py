"""`findings`: the faults of a new version that its text shows before anything changes.

Each finding has a key. One that the version before had as well is a warning: its processes live with it. A new one is
refused if a process would end of it; `force=True` makes all of them warnings. The names are those of the namespace
after the body has run, so what a module defines by other means than by a statement counts as defined.

Law: a part of the text is looked at again only if it has changed, or if a name in it means another thing. What is left
out so has no fault: the checks themselves say so of the same part with names of the same meaning.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import ModuleType

from midflight.code.checks.durable_states import state_faults
from midflight.code.checks.facts import Facts, facts_of
from midflight.code.checks.finding import Finding, in_characters, moved, problem_at
from midflight.code.checks.local_names import local_names
from midflight.code.checks.meaning import Meaning
from midflight.code.checks.missing_attributes import absent_names, may_be_absent
from midflight.code.checks.process_calls import Flow, OwnFunctions, endless_of, faults_of_calls
from midflight.code.checks.undefined_names import undefined_names, uses_by_part
from midflight.code.source.look import class_names, is_class, mro_of
from midflight.code.source.parts import LastLook, Part, parts_of
from midflight.code.version.facade import Namespace

__all__ = ["Finding", "findings"]

_flows: LastLook[object, Flow] = LastLook()
_faults: LastLook[object, tuple[Finding, ...]] = LastLook()


def findings(
    text: str, tree: ast.Module, path: str, namespace: Namespace, module: ModuleType, *, has_run: bool = True
) -> tuple[Finding, ...]:
    """Return the findings of the checks in the text of a version, in the order of its lines.

    `namespace` is the version's, its body having run; `module` the module object that its code calls through. Without
    `has_run` it is a stand-in for that, in which names mean less: what is remembered of them is kept apart.
    """
    memory = path if has_run else f"{path} before its body"
    parts = parts_of(tree, text)
    facts = facts_of(parts, path)
    found = _faults_of_calls(tree, path, memory, namespace, module, parts, facts)
    uses = uses_by_part(parts, facts, tree, text, namespace)
    found += (Finding(*each) for each in undefined_names(tree, text, path, namespace, local_names, uses))
    if may_be_absent(facts, namespace, module):
        for absent in absent_names(tree, text, namespace, module, local_names):
            problem = problem_at(path, absent.node, absent.severity, absent.text, "undefined-name")
            found.append(Finding(f"undefined-name {absent.said}", problem))
    if "durable" in text or _has_durable(tree, namespace):
        for fault in state_faults(tree, namespace):
            found.append(Finding(fault.key, problem_at(path, fault.node, "warning", fault.text, "durable")))
    lines = text.split("\n") if found else []
    return tuple(sorted((in_characters(each, lines) for each in found), key=_place))


def _has_durable(tree: ast.Module, namespace: Namespace) -> bool:
    """Say whether a class of the text is durable by one that it is made of, in another module."""
    made = (namespace.get(each.name) for each in tree.body if isinstance(each, ast.ClassDef) and each.bases)
    return any(
        class_names(each).get("durable", False) is not False
        for cls in made
        if is_class(cls)
        for each in mro_of(cls)[:-1]
    )


def _place(finding: Finding) -> tuple[int, int]:
    return finding.problem.line, finding.problem.column


def _faults_of_calls(
    tree: ast.Module,
    path: str,
    memory: str,
    namespace: Namespace,
    module: ModuleType,
    parts: Sequence[Part],
    facts: Sequence[Facts],
) -> list[Finding]:
    own = OwnFunctions(tree, namespace, module)
    meaning = Meaning(namespace, module, own.by_name)
    # Without the parts that call nothing which makes a coroutine: there is nothing to be wrong.
    waiting = [
        (part, each, means) for part, each in zip(parts, facts, strict=True) if (means := meaning.of(each)) != ()
    ]
    functions = [
        (statement, (part.text, statement.name, means))
        for part, _, means in waiting
        for statement in part.statements
        if isinstance(statement, ast.AsyncFunctionDef) and own.by_name.get(statement.name) is statement
    ]
    flows = _flows.again(memory, [key for _, key in functions], lambda index: own.flow_of(functions[index][0]))
    endless = endless_of({function.name: flow for (function, _), flow in zip(functions, flows, strict=True)})
    keys = [
        (part.text, means, endless.intersection(words[-1] for words in each.calls)) for part, each, means in waiting
    ]

    def look(index: int) -> tuple[Finding, ...]:
        part = waiting[index][0]
        found = faults_of_calls(ast.Module(list(part.statements), []), path, namespace, own, endless)
        return tuple(moved(each, -part.line) for each in found)

    found = zip(waiting, _faults.again(memory, keys, look), strict=True)
    return [moved(each, part.line) for (part, _, _), faults in found for each in faults]
