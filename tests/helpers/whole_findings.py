"""The findings of a text whose every part is looked at, whatever is known of it: slow, and plain enough to believe."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

from midflight.code.checks.finding import Finding, in_characters, problem_at
from midflight.code.checks.local_names import local_names
from midflight.code.checks.missing_attributes import absent_names
from midflight.code.checks.process_calls import OwnFunctions, endless_of, faults_of_calls
from midflight.code.checks.undefined_names import undefined_names


def whole_findings(text: str, path: str, namespace: dict[str, Any], module: ModuleType) -> list[Finding]:
    """Return what `findings` does."""
    tree = ast.parse(text)
    own = OwnFunctions(tree, namespace, module)
    endless = endless_of({name: own.flow_of(function) for name, function in own.by_name.items()})
    found = faults_of_calls(tree, path, namespace, own, endless)
    found += (Finding(*each) for each in undefined_names(tree, text, path, namespace, local_names))
    for absent in absent_names(tree, text, namespace, module, local_names):
        problem = problem_at(path, absent.node, absent.severity, absent.text, "undefined-name")
        found.append(Finding(f"undefined-name {absent.said}", problem))
    lines = text.split("\n")
    return sorted(
        (in_characters(each, lines) for each in found), key=lambda each: (each.problem.line, each.problem.column)
    )
