"""`findings`: the faults of a new version that its text shows before anything changes.

Each finding has a key. One that the version before had as well is a warning: its processes live with it. A new one is
refused if a process would end of it; `force=True` makes all of them warnings. The names are those of the namespace
after the body has run, so what a module defines by other means than by a statement counts as defined.

Law: a part of the text is looked at again only if it has changed, or if a name in it means another thing. What is left
out so has no fault: the checks themselves say so of the same part with names of the same meaning.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from types import ModuleType

from midflight.code.checks.facts import Facts, facts_of
from midflight.code.checks.finding import Finding, in_characters, problem_at
from midflight.code.checks.local_names import local_names
from midflight.code.checks.meaning import Meaning
from midflight.code.checks.missing_attributes import absent_names, may_be_absent
from midflight.code.checks.process_calls import Flow, OwnFunctions, endless_of, faults_of_calls
from midflight.code.checks.undefined_names import may_be_undefined, undefined_names
from midflight.code.source.parts import Memory, Part, parts_of
from midflight.code.version.facade import Namespace

__all__ = ["Finding", "findings"]

Known = Sequence[tuple[Part, Facts]]

_flows: Memory[object, Flow] = Memory(8192)
_faultless: Memory[object, bool] = Memory(8192)


def findings(text: str, tree: ast.Module, path: str, namespace: Namespace, module: ModuleType) -> tuple[Finding, ...]:
    """Return what the checks find in the text of a version, in the order of its lines.

    `namespace` is the version's, its body having run; `module` the module object that its code calls through.
    """
    known = [(part, facts_of(part, path)) for part in parts_of(tree, text)]
    found = list(_faults_of_calls(tree, path, namespace, module, known))
    if may_be_undefined([facts for _, facts in known], tree, text, namespace):
        found += (Finding(*each) for each in undefined_names(tree, path, namespace, local_names))
    if may_be_absent([facts for _, facts in known], namespace, module):
        for absent in absent_names(tree, namespace, module, local_names):
            problem = problem_at(path, absent.node, absent.severity, absent.text, "undefined-name")
            found.append(Finding(f"undefined-name {absent.said}", problem))
    lines = text.split("\n") if found else []
    return tuple(sorted((in_characters(each, lines) for each in found), key=_place))


def _place(finding: Finding) -> tuple[int, int]:
    return finding.problem.line, finding.problem.column


def _faults_of_calls(
    tree: ast.Module, path: str, namespace: Namespace, module: ModuleType, known: Known
) -> Iterator[Finding]:
    own = OwnFunctions(tree, namespace, module)
    meaning = Meaning(namespace, module, own.by_name)
    meanings = [meaning.of(facts) for _, facts in known]
    flows = {}
    for (part, _), means in zip(known, meanings, strict=True):
        for statement in part.statements if means else ():
            if isinstance(statement, ast.AsyncFunctionDef) and own.by_name.get(statement.name) is statement:
                flows[statement.name] = _flows.get((part.text, statement.name, means), own.flow_of, statement)
    endless = endless_of(flows)
    for (part, facts), means in zip(known, meanings, strict=True):
        if not means:
            continue  # it calls nothing that makes a coroutine
        key = (part.text, means, endless.intersection(words[-1] for words in facts.calls))
        if not _faultless.has(key):
            module_of_part = ast.Module(list(part.statements), [])
            found = faults_of_calls(module_of_part, path, namespace, own, endless)
            yield from found
            if not found:
                _faultless.put(key, True)
