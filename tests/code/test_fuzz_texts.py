"""Texts of modules that nobody would write: a load gives a report or a `LoadError`; a failed one changes nothing."""

from __future__ import annotations

import ast
import random
import sys
import warnings

from hypothesis import given
from hypothesis import strategies as st

from helpers.fuzz import fuzzed
from helpers.versions import text_of
from midflight import code

SAMPLES = [text_of(name) for name in ("thing_v1", "counter_v1", "account_v1", "shop_v1", "hooked_v1", "tally_v1")]
PIECES = [
    *("(", ")", "[", "]", "{", "}", ":", ",", "'", '"', '"""', "\\", "\t", "    ", "\n", "\r", "\r\n", "\x0c", "\x00"),
    *("\ud800", "\ufeff", "\xa0", "é", "😀", "½", "# -*- coding: latin-1 -*-\n", "# coding: nonsense\n", "9" * 5000),
    *(
        "lambda",
        "await ",
        "yield ",
        "return ",
        "async ",
        "global x\n",
        "nonlocal x\n",
        "match x:\n",
        "f'{",
        "0x",
        "1e999",
    ),
    *(
        "__persist__ = 3\n",
        "__vsn__ = object()\n",
        "__all__ = 7\n",
        "__slots__ = 1\n",
        "del __name__\n",
        "import x.y\n",
    ),
    *("(" * 300, "-" * 2000, "x." * 500, "if 1:\n" * 30, "class A(A): pass\n", "1/0\n", "raise SystemExit\n"),
]
HARMFUL = (ast.While, ast.For, ast.AsyncFor, ast.comprehension, ast.Pow, ast.LShift, ast.Mult)


def is_harmless(text: str) -> bool:
    """Say whether running `text` ends at once: what is not in a function has no loop and makes nothing large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    while nodes:
        node = nodes.pop()
        if isinstance(node, HARMFUL):
            return False
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))
    return True


def mutated(seed: int) -> str:
    """Return a text of tests/modules with some lines, characters and pieces at wrong places."""
    chance = random.Random(seed)
    text = chance.choice(SAMPLES)
    for _ in range(chance.randrange(1, 5)):
        lines = text.splitlines(keepends=True) or [""]
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        place = chance.randrange(len(text) + 1)
        match chance.randrange(6):
            case 0:
                del lines[at]
                text = "".join(lines)
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
                text = "".join(lines)
            case 2:
                text = text[:place] + text[place + chance.randrange(1, 20) :]
            case 3:
                text = text[:place] + text[chance.randrange(len(text) + 1) :][:20] + text[place:]
            case _:
                text = text[:place] + chance.choice(PIECES) + text[place:]
    return text


texts = (
    st.integers(0, 2**32).map(mutated)
    | st.text(max_size=60)
    | st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
)


@given(texts.filter(is_harmless))
@fuzzed(150)
def test_any_text_is_loaded_or_refused(project, text: str) -> None:
    """Nothing else is raised; after a refusal the module has its version, its text and its names as before."""
    path = project.put("thing_v1")
    if "thing" not in sys.modules:
        code.load(path)
    before = world()
    refused: code.LoadError | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            report = code.load(path, source=text)
        except code.LoadError as error:
            refused = error
    if refused is not None:
        assert refused.report is not None
        assert str(refused)
        assert world() == before
        return
    assert (code.source("thing", report.version) or "").splitlines() == text.removeprefix("\ufeff").splitlines()
    code.load(path, force=True)


def world() -> object:
    """Return what others see of the module: its names and its versions."""
    return dict(vars(sys.modules["thing"])), [(each.version, each.is_current) for each in code.versions("thing")]
