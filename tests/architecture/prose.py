"""The rules for plain English, as pure functions from a file's name and text to the words that break them.

The words are those that a reader stumbles over: old ones, and questions in the place of a noun.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from architecture.sources import parsed

QUESTIONS = frozenset({"what", "who", "whom", "whose", "which", "where", "those", "how", "when", "why"})

# One pattern for words in any case, and one that leaves Python's own None alone. "There is none" and "is no longer" are
# plain; "it is no pid" is not: write "it is not a pid".
BANNED = (
    re.compile(
        r"\b(?:anew|amid|beside|shall|whom|whoever|for\s+ever|hears?\s+of|goes\s+by\s+itself|of\s+the\s+user's)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?<!there )(?<!There )(?:is|are)\s+(?:none|no(?!\s+longer|\s+more))\b"),
)

FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$|<!--.*?-->", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)

# The tokens of elisp that matter here: a comment, a string, and a character such as ?" that opens neither.
ELISP = re.compile(r"""(?P<comment>;[^\n]*)|\?\\?.|(?P<string>"(?:[^"\\]|\\.)*")""", re.DOTALL)
ELISP_SPAN = re.compile(r"`[^'`\s]+'|\\\\[\[<{][^]>}\n]+[]>}]")
ELISP_HEADLINE = re.compile(r"^;;; [\w-]+\.el --- (.+?)(?:  -\*-|$)", re.MULTILINE)
ELISP_DOCUMENTED = re.compile(
    r"""^\s*\((?:(?:cl-)?def(?:un|macro|subst|method|generic)|define-(?:derived|minor)-mode|def(?:var|const|custom|face)(?:-local)?)\s"""
    r"""[^"]*?(?P<string>"(?:[^"\\]|\\.)*")""",
    re.MULTILINE | re.DOTALL,
)

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(text: str) -> Iterator[ast.Constant]:
    """Yield the docstrings of a Python file: the module's first, then those of its classes and functions."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, Documented) and ast.get_docstring(node) is not None:
            match node.body[0]:
                case ast.Expr(value=ast.Constant() as found):
                    yield found


def questions(name: str, text: str) -> Iterator[str]:
    """Say which docstrings of a Python file open with a question word instead of a noun or an imperative."""
    for docstring in docstrings(text):
        words = str(docstring.value).split()
        if words and re.sub(r"\W", "", words[0]).lower() in QUESTIONS:
            yield f"{name}:{docstring.lineno}: a docstring opens with {words[0]!r}; name the noun"


def prose_of_source(text: str) -> str:
    """Return the docstrings and comments of a Python file, each at its line; the other lines are empty."""
    lines = text.splitlines()
    found = [""] * len(lines)
    for docstring in docstrings(text):
        for number in range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1):
            found[number - 1] = lines[number - 1]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            found[token.start[0] - 1] += token.string.replace("#", " ")
    return _without(SPAN, "\n".join(found))


def questions_of_elisp(name: str, text: str) -> Iterator[str]:
    """Say which headlines and docstrings of an elisp file open with a question word."""
    for found in [*ELISP_HEADLINE.finditer(text), *ELISP_DOCUMENTED.finditer(text)]:
        prose = found[1].strip('"')
        words = prose.split()
        if words and re.sub(r"\W", "", words[0]).lower() in QUESTIONS:
            line = text.count("\n", 0, found.start(1)) + 1
            yield f"{name}:{line}: a docstring opens with {words[0]!r}; name the noun"


def prose_of_elisp(text: str) -> str:
    """Return the comments and strings of an elisp file, messages among them, each at its line."""
    lines = [""] * (text.count("\n") + 1)
    for found in ELISP.finditer(text):
        prose = found["string"] or (found["comment"] or "").replace(";", " ")
        first = text.count("\n", 0, found.start())
        for number, line in enumerate(prose.split("\n"), first):
            lines[number] += line
    return _without(ELISP_SPAN, "\n".join(lines))


def prose_of_page(text: str) -> str:
    """Return a Markdown page without its code and its HTML comments, each word at its line."""
    return _without(SPAN, _without(FENCE, text))


def banned(name: str, prose: str) -> Iterator[str]:
    """Say at which lines banned words stand; `prose` is as one of the functions above returns it."""
    for pattern in BANNED:
        for found in pattern.finditer(prose):
            line = prose.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: {' '.join(found[0].split())!r} is not plain English; CONTRIBUTING.md says what is"


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Return `text` with all that matches blanked, its line breaks apart: line numbers stay true."""
    return pattern.sub(lambda found: "-" + "\n" * found[0].count("\n"), text)
