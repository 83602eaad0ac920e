"""Classes that carry a module's name which is none: of a text that is run by hand, or given by a metaclass."""

from __future__ import annotations

import pytest

from midflight import GenServer, Supervisor, call

CLASSES = {
    "None": "class Odd: pass\nOdd.__module__ = None",
    "a number": "class Odd: pass\nOdd.__module__ = 5",
    "a metaclass's": "class Meta(type):\n    __module__ = property(lambda cls: 5)\nclass Odd(metaclass=Meta): pass",
    "of a text that was run": 'names = {}\nexec("class Odd: pass", names)\nOdd = names["Odd"]',
}


@pytest.mark.parametrize("kind", CLASSES)
def test_their_objects_are_state_as_any(thing, kind):
    """A load keeps them."""
    thing.load(f"{CLASSES[kind]}\nTHING = Odd()\nMANY = [THING]\ndef f(): return 1\n")
    thing.module.MANY.append("ours")

    thing.again()

    assert "ours" in thing.module.MANY


def test_servers_of_them_run_and_take_their_new_class(thing, runtime):
    """None of their modules is one that loads, so nothing changes for them; and nothing fails."""
    names: dict[str, object] = {"GenServer": GenServer, "Supervisor": Supervisor}
    exec(
        "class Till(GenServer):\n    def handle_call(self, request, client): return request\n"
        "class Tree(Supervisor):\n    def init(self): return []\n",
        names,
    )
    for each in ("Till", "Tree"):
        names[each].__module__ = None  # type: ignore[attr-defined]

    async def main():
        tree = await names["Tree"].start_link()  # type: ignore[attr-defined]
        till = await names["Till"].start_link()  # type: ignore[attr-defined]
        thing.load("def f():\n    return 1\n")
        thing.again()
        return await call(till, "hello"), (await Supervisor.which_children(tree))

    assert runtime.run(main) == ("hello", [])
