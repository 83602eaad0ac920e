"""The work of a load, counted in calls and not in time: it grows with the edit, and not with the program around it."""

from __future__ import annotations

import ast
import gc
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType

import pytest

import midflight
from midflight import code
from midflight.code.held.references import VersionObjects
from midflight.code.version.live_comparison import is_same_as_live

PACKAGE = str(Path(midflight.__file__).parent)
THING = "LIMIT = {0}\nclass K:\n    def f(self):\n        return {0}\ndef f(k):\n    return LIMIT + {0}\n"


def calls_of(work: Callable[[], object]) -> Counter[str]:
    """Count the calls of Midflight's functions, those of generators and comprehensions too."""
    found = Counter[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE):
            found[f"{code.co_filename[len(PACKAGE) + 1 :]} {code.co_qualname}"] += 1

    gc.collect()
    gc.disable()  # what is collected meanwhile may call something back
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return found


def importers(project, name: str, number: int) -> None:
    """Import modules that import from the module `name`."""
    for each in range(number):
        project.write(f"user_of_{name}_{each}.py", f"from {name} import K, f, LIMIT\nMINE = {each}\n")
        __import__(f"user_of_{name}_{each}")


def libraries(project, name: str, number: int) -> None:
    """Have modules imported that are of no project."""
    for each in range(number):
        library = sys.modules[f"library_of_{name}_{each}"] = ModuleType(f"library_of_{name}_{each}")
        library.__file__ = project.path(f"site-packages/library_of_{name}_{each}.py")
        vars(library).update(dict.fromkeys(map("value_{}".format, range(20)), each))


def loaded(project, name: str, number: int) -> None:
    """Load other modules."""
    for each in range(number):
        project.load_text(f"beside_{name}_{each}", f"VALUE = {each}\ndef f():\n    return VALUE\n")


@pytest.mark.parametrize("others", [importers, libraries, loaded])
def test_a_load_calls_as_much_however_many_modules_there_are(project, others):
    """Whether they import from the module, are of no project, or were loaded too."""
    counts = []
    for number in (4, 40):
        name = f"thing_{number}"
        texts = [THING.format(f"{number}{each}") for each in range(5)]
        path = project.write(f"{name}.py", texts[0])
        code.load(path)
        others(project, name, number)
        for text in texts[1:4]:
            code.load(path, text)
        counts.append(calls_of(partial(code.load, path, texts[4])))

    few, many = counts
    assert {name: (few[name], count) for name, count in many.items() if count != few[name]} == {}


HELD = {
    "nothing is held": lambda thing: None,
    "a router has a function": lambda thing: [thing.f],
    "somebody has a bound method": lambda thing: thing.K().f,
    "an object of an edited class": lambda thing: [thing.K()],
    "a partial in a dictionary": lambda thing: {"f": partial(thing.f, 1)},
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD.keys())
def test_a_load_never_asks_the_garbage_collector_for_all_objects(project, monkeypatch, hold):
    """That would stop everybody for 34 ms a million objects. Who holds what is looked for later, in slices."""
    asked: list[str] = []
    for ask in (gc.get_objects, gc.get_referrers, gc.collect):
        monkeypatch.setattr(gc, ask.__name__, lambda *args, ask=ask: asked.append(ask.__name__) or ask(*args))
    project.load_text("thing", THING.format(1))
    held = []
    for number in range(2, 10):
        held.append(hold(sys.modules["thing"]))
        project.load_text("thing", THING.format(number))

    assert asked == []
    assert len(held) == 8


def test_a_version_that_only_waits_for_the_garbage_collector_is_not_looked_at_again(project, monkeypatch):
    """There may be several of them: they are in cycles, and the collector comes when it likes."""
    looked: list[int] = []
    look = VersionObjects.held
    monkeypatch.setattr(
        VersionObjects, "held", lambda self: looked.append(self.namespace["__midflight_version__"]) or look(self)
    )
    gc.disable()
    try:
        for number in range(1, 7):
            project.load_text("thing", THING.format(number))
    finally:
        gc.enable()

    assert looked == [1, 2, 3, 4, 5]


def test_the_comparison_of_a_live_module_with_its_text_walks_through_it_once():
    """Not once for each of its statements: a file of 600 lines then takes half a second."""
    text = "".join(f"def f{each}(): return {each}\nN{each} = {each}\n" for each in range(20))
    namespace = {"__name__": "thing", "__doc__": None}
    compiled = compile(text, "thing.py", "exec")
    exec(compiled, namespace)
    answers: list[bool | None] = []

    calls = calls_of(lambda: answers.append(is_same_as_live(ast.parse(text), compiled, namespace)))

    assert answers == [True]
    assert calls["code/version/live_comparison.py _Look.at"] == 40
    assert calls["code/version/live_comparison.py _Look.__init__"] == 1


def test_a_load_looks_at_the_changed_definition_and_not_at_the_others(project):
    """Whether the text has few definitions or many. They are compared by their lines, and checked once."""
    counts = []
    for number in (4, 40):
        others = "".join(f"\ndef other_{each}(k):\n    return f(k) + LIMIT + {each}\n" for each in range(number))
        texts = [THING.format(f"7{number}{each}") + others for each in range(5)]  # which no other test has loaded
        path = project.write(f"thing_{number}.py", texts[0])
        for text in texts[:4]:
            code.load(path, text)
        counts.append(calls_of(partial(code.load, path, texts[4])))

    few, many = counts
    for function in ONCE_FOR_A_CHANGE:
        assert many[function] == few[function] > 0, function
    assert many["code/source/parts.py _parts_of"] == 1
    assert many["parsing.py parse_module"] == 1


ONCE_FOR_A_CHANGE = [
    "code/checks/facts.py _facts",
    "code/checks/facts.py undefined_in",
    "code/source/definitions.py _said",
    "code/source/definitions.py _dump",
    "code/source/definitions.py _digest",
]


def test_a_long_text_is_parsed_once(project):
    """Though there is room for two such texts: the one that runs stays, and none before it is asked for."""
    text = "".join(f"def f{each}(a, b):\n    return a + b\n\n\n" for each in range(3500))
    for number in range(3):
        project.load_text("thing", f"{text}X = {number}\n")

    calls = calls_of(lambda: project.load_text("thing", f"{text}X = 3\n"))

    assert 120_000 < len(text) < 150_000
    assert calls["parsing.py parse_module"] == 1


def looks_of_a_refused_load(project, monkeypatch, number, text):
    """Return how often a refused load asks for all objects, or who refers to one, with so many registries."""
    name = f"registries_{number}"
    project.load_text(name, "".join(f"REG_{each} = {{}}\n" for each in range(number)))
    asked: list[str] = []
    for ask in (gc.get_objects, gc.get_referrers):
        monkeypatch.setattr(gc, ask.__name__, lambda *args, ask=ask: asked.append(ask.__name__) or ask(*args))
    lines = (f"def f_{each}(): pass\n" + text.format(name, each) for each in range(number))
    with pytest.raises(code.LoadError):
        project.load_text(f"refused_{number}", f"import {name}\n{''.join(lines)}1 / 0\n")
    monkeypatch.undo()
    return len(asked)


@pytest.mark.parametrize("text", ["{0}.REG_{1}['a'] = f_{1}\n", "{0}.REG_{1}['a'] = {{'b': [f_{1}]}}\n", ""])
def test_a_refused_load_looks_at_all_objects_as_often_however_much_its_body_has_left(project, monkeypatch, text):
    """Each look holds everybody up for 34 ms at a million objects."""
    few = looks_of_a_refused_load(project, monkeypatch, 2, text)

    many = looks_of_a_refused_load(project, monkeypatch, 20, text)

    assert many == few
    assert few <= 6
