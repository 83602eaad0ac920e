"""Whole states migrate with all that they hold; who may ask for it, and who is left."""

from __future__ import annotations

import sys
from collections import deque

import pytest

from midflight import call, code
from midflight.code import MigrationError, migrate, migrate_state, old_instances

# --- A whole state --------------------------------------------------------------------------------------------------

STATE = """
from dataclasses import dataclass
from typing import Any, NamedTuple
VERSION = {0}
@dataclass(frozen=True)
class Item:
    price: Any
    currency: str = "EUR{0}"
class Pair(NamedTuple):
    one: Any
    other: Any
"""


def test_a_state_migrates_with_all_that_its_containers_hold(versions):
    """On copies: the old state is as it was."""
    expression = "[{'a': Item(1), 'b': [Item(2)]}, (Item(3), 4), {Item(5)}, deque([Item(6)], 3), Pair(Item(7), [])]"
    value, thing = versions(f"from collections import deque\n{STATE.format(1)}", STATE.format(2), expression)
    before = repr(value)

    found = migrate_state(value)

    assert repr(found) == before.replace("EUR1", "EUR1")  # the fields are theirs: only a new one gets a default
    first, second, third, fourth, fifth = found
    items = [first["a"], *first["b"], second[0], *third, *fourth, fifth.one]
    assert {type(item) for item in items} == {thing.Item}
    assert isinstance(fourth, deque)
    assert fourth.maxlen == 3
    assert repr(value) == before
    assert type(value[0]["a"]) is not thing.Item


def test_what_was_one_object_in_a_state_stays_one(versions):
    """And what held itself does so."""
    value, thing = versions(STATE.format(1), STATE.format(2), "[Item([])] * 2")
    value[0].price.append(value[0])
    value.append(value)

    found = migrate_state(value)

    assert found[0] is found[1]
    assert found[2] is found
    assert type(found[0]) is thing.Item
    assert found[0].price[0] is found[0]


def test_what_a_hook_gets_has_migrated(versions):
    """Of a state; so it need not ask for it."""
    old = "class K:\n    def __init__(self, held): self.held = held\n"
    new = "SEEN = []\nclass K:\n    def __migrate__(old):\n        SEEN.append(type(old['held']))\n        return old\n"
    value, thing = versions(old, new, "K(K(1))")

    found = migrate_state(value)

    assert [int, thing.K] == thing.SEEN
    assert type(found.held) is thing.K


def test_other_objects_of_a_state_are_shared_as_they_are(versions):
    """Locks, connections, objects of other classes: nothing is looked for in them."""
    text = STATE + "class Other:\n    held = None\n"
    value, _ = versions(text.format(1), text.format(2), "[Other(), open]")
    value[0].held = inner = [1]

    found = migrate_state(value)

    assert found[0] is value[0]
    assert found[0].held is inner


def test_a_state_that_cannot_migrate_is_as_it_was(versions):
    """All of it."""
    value, _ = versions(STATE.format(1), STATE.format(2) + "    third: Any\n", "[Item(1), Pair(1, 2)]")
    before = [type(each) for each in value]

    with pytest.raises(MigrationError, match="third"):
        migrate_state(value)

    assert [type(each) for each in value] == before


def test_a_state_may_go_to_classes_that_are_not_current_yet(versions):
    """An upgrade makes states before it commits."""
    value, thing = versions(STATE.format(1), STATE.format(2), "[Item(1)]")
    other = type("Item", (thing.Item,), {})

    (found,) = migrate_state(value, lambda cls: other if cls.__name__ == "Item" else cls)

    assert type(found) is other


# --- Who asks ---------------------------------------------------------------------------------------------------------


def test_code_of_the_module_itself_gets_objects_of_its_own_version(versions):
    """Old code has no use for a class that it does not know."""
    text = "from midflight.code import migrate\nclass K: x = {}\ndef mine(value): return migrate(value)\n"
    (value, old), thing = versions(text.format(1), text.format(2), "[K(), mine]")

    assert type(old(thing.K())) is type(value)
    assert type(old(value)) is type(value)
    assert type(thing.mine(value)) is thing.K


TREE = """
from dataclasses import dataclass
class Node:
    def __init__(self, name, *children): self.name, self.children, self.parent = name, list(children), None
    V = {0}
class Forest:
    def __init__(self, *trees): self.trees, self.lock = list(trees), object()
"""


def forest(project):
    """Load the tree twice, with an object of the first version between; return that and the module."""
    project.load_text("thing", TREE.format(1))
    thing = sys.modules["thing"]
    leaf = thing.Node("leaf")
    root = thing.Node("root", leaf, thing.Node("other"))
    leaf.parent = root
    found = thing.Forest(root)
    project.load_text("thing", TREE.format(2))
    return found, thing


def test_a_tree_of_nodes_is_migrated_whole(project):
    """With its cycles: a child refers to its parent."""
    old, thing = forest(project)

    root = migrate_state(old.trees[0])

    assert {type(each) for each in (root, *root.children)} == {thing.Node}
    assert root.children[0].parent is root
    assert type(old.trees[0]) is not thing.Node


def test_an_object_that_holds_a_migrated_one_is_copied(project):
    """Its class need not be superseded; what does not migrate in it is shared."""
    old, thing = forest(project)
    assert type(old) is thing.Forest

    new = migrate_state({"forest": old, "plain": [old]})["forest"]

    assert type(new) is thing.Forest
    assert new is not old
    assert new.lock is old.lock
    assert {type(each) for each in new.trees} == {thing.Node}
    assert {type(each) for each in old.trees} != {thing.Node}


def test_an_object_that_holds_none_is_shared(project):
    """It is the same one."""
    _, thing = forest(project)
    plain = thing.Forest(1)

    assert migrate_state([plain])[0] is plain


@pytest.mark.parametrize("count", [5_000])
def test_a_long_chain_of_nodes_is_migrated(project, count):
    """Longer than Python's calls may be deep."""
    project.load_text("thing", TREE.format(1))
    thing = sys.modules["thing"]
    node = thing.Node("last")
    for number in range(count):
        node = thing.Node(number, node)
    project.load_text("thing", TREE.format(2))

    found, length = migrate_state(node), 0
    while found.children:
        assert type(found) is thing.Node
        (found,), length = found.children, length + 1

    assert length == count


def test_a_code_change_migrates_what_its_state_holds(project, runtime):
    """It runs before its version is current; if it raises, the objects are as they were."""
    text = """
        from dataclasses import dataclass
        from midflight import GenServer
        from midflight.code import migrate_state
        @dataclass
        class Item:
            price: int
            {0}
        class Shop(GenServer):
            def init(self): self.items = [Item(1), Item(2)]
            def handle_call(self, request, client): return self.items
            def code_change(self, old_vsn, extra):
                self.items = migrate_state(self.items)
                if extra == "fail":
                    raise ValueError(extra)
        """
    path = project.write("shop.py", text.format("").replace("migrate_state(self.items)", "self.items"))
    code.load(path)

    async def main():
        shop = sys.modules["shop"]
        pid = await shop.Shop.start()
        before = await call(pid, "items")
        project.write("shop.py", text.format('currency: str = "EUR"'))
        with pytest.raises(code.UpgradeError):
            await code.upgrade(path, extra="fail")
        assert await call(pid, "items") == before
        assert {type(each) for each in before} == {shop.Item}
        await code.upgrade(path)
        return repr(await call(pid, "items")), {type(each) is shop.Item for each in before}

    shown, are_current = runtime.run(main)

    assert shown == "[Item(price=1, currency='EUR'), Item(price=2, currency='EUR')]"
    assert are_current == {False}


# --- Who is left ------------------------------------------------------------------------------------------------------


def test_old_instances_are_counted_by_class(project):
    """Of superseded classes only."""
    text = """
        class A:
            x = {}
            def __init__(self): self.y = []
        class B(A): pass
        class Kept:
            def __init__(self): self.y = []
        """
    project.load_text("counted", text.format(1))
    thing = sys.modules["counted"]
    held = [thing.A(), thing.B(), thing.B(), thing.Kept()]
    assert old_instances("counted") == {}

    project.load_text("counted", text.format(2))
    held.append(thing.A())

    assert old_instances("counted") == {"B": 2, "A": 1}
    migrate(held[0])
    assert old_instances("counted") == {"B": 2}
    with pytest.raises(code.UnknownModuleError):
        old_instances("nowhere")
