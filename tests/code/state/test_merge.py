"""The merge of base, now and new: what the program did stays, what the new body does comes, at every depth."""

from __future__ import annotations

import copy
import functools
from collections import Counter, OrderedDict, defaultdict, deque
from types import FunctionType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midflight.code.state.base import TOO_LARGE, Copy, copy_of
from midflight.code.state.merge import OWN_EQUALITY, UNTELLABLE, merge
from midflight.code.state.own import Own

NOBODY = Own({}, {"__name__": "thing"})

SCALARS = st.one_of(st.integers(0, 3), st.sampled_from("abc"), st.none(), st.booleans(), st.just(float("nan")))
KEYS = st.sampled_from("abcde")


def trees(leaf=SCALARS):
    """Containers in containers."""
    return st.recursive(
        st.one_of(
            st.dictionaries(KEYS, leaf, max_size=4), st.lists(leaf, max_size=4), st.sets(st.integers(0, 5), max_size=4)
        ),
        lambda inner: st.one_of(
            st.dictionaries(KEYS, st.one_of(leaf, inner), max_size=4),
            st.lists(st.one_of(leaf, inner), max_size=3),
            st.builds(OrderedDict, st.dictionaries(KEYS, inner, max_size=3)),
            st.builds(lambda made: defaultdict(list, made), st.dictionaries(KEYS, inner, max_size=3)),
            st.builds(deque, st.lists(inner, max_size=3)),
        ),
        max_leaves=12,
    )


def mappings():
    """Mappings of mappings and scalars, of which an oracle is easily written."""
    return st.recursive(
        st.dictionaries(KEYS, SCALARS, max_size=4),
        lambda inner: st.dictionaries(KEYS, st.one_of(SCALARS, inner), max_size=4),
        max_leaves=10,
    )


def twin(value):
    """Return a copy as another body would make it: other containers, equal scalars."""
    return copy.deepcopy(value)


def merged(base, now, new, own=NOBODY):
    """Merge, apply, and return what the merge found."""
    found = merge(base, now, new, own)
    for edit in found.edits:
        edit.apply()
    return found


def taken(value) -> Copy:
    """Return the base copy of a small value."""
    found = copy_of(value)
    assert isinstance(found, Copy)
    return found


def shown(value):
    """Return the whole of a value as text, in order; sets sorted."""
    if isinstance(value, dict):
        return f"{type(value).__name__}({[(key, shown(each)) for key, each in value.items()]})"
    if isinstance(value, (list, deque)):
        return f"{type(value).__name__}({[shown(each) for each in value]})"
    return f"set({sorted(value)})" if isinstance(value, set) else repr(value)


def containers_in(value, found=None):
    """Return the ids of all containers in a value."""
    found = set() if found is None else found
    found.add(id(value))
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, (dict, list, set, deque)):
            containers_in(each, found)
    return found


@settings(max_examples=60, deadline=None)
@given(trees(), st.data())
def test_a_value_that_nobody_touched_becomes_what_the_new_body_made(old, data):
    """The object stays, its content is the new body's."""
    new = data.draw(trees().filter(lambda made: type(made) is type(old)))

    found = merged(taken(old), old, new)

    assert found.conflicts == []
    if found.unmerged == []:
        assert shown(old) == shown(new)


@settings(max_examples=60, deadline=None)
@given(trees(), st.data())
def test_a_body_that_makes_the_same_changes_nothing(old, data):
    """Whatever the program did: it is the program's."""
    base, new = taken(old), twin(old)
    disturb(old, data)
    before, ids = shown(old), containers_in(old)

    found = merge(base, old, new, NOBODY)

    assert (found.edits, found.conflicts, found.unmerged) == ([], [], [])
    assert (shown(old), containers_in(old)) == (before, ids)


@settings(max_examples=60, deadline=None)
@given(trees(), st.data())
def test_what_is_applied_can_be_undone(old, data):
    """Item by item, order and identity included."""
    base = taken(old)
    new = data.draw(trees().filter(lambda made: type(made) is type(old)))
    disturb(old, data)
    before, ids = shown(old), containers_in(old)

    found = merged(base, old, new)
    for edit in reversed(found.edits):
        edit.undo()

    assert (shown(old), containers_in(old)) == (before, ids)


ABSENT = object()


def alike(one, two):
    """Say whether two plain values are one value, a NaN included."""
    return (type(one), repr(one)) == (type(two), repr(two)) if ABSENT not in (one, two) else one is two


def oracle(base, now, new):
    """Merge mappings as copies, by the rules alone; return the result and the conflicts."""
    result, conflicts = {}, []
    for key in {**base, **now, **new}:
        was, is_now, made = (each.get(key, ABSENT) for each in (base, now, new))
        if isinstance(was, dict) and isinstance(is_now, dict) and isinstance(made, dict):
            result[key], more = oracle(was, is_now, made)
            conflicts += [f"[{key!r}]{each}" for each in more]
            continue
        if alike(was, is_now):
            chosen = made
        else:
            chosen = is_now
            if not alike(was, made) and not alike(is_now, made):
                conflicts.append(f"[{key!r}]")
        if chosen is not ABSENT:
            result[key] = chosen
    return result, conflicts


def change(value, data):
    """Return a mapping with other items at some places, in containers that stay what they are."""
    for key in data.draw(st.lists(KEYS, max_size=3)):
        if isinstance(value.get(key), dict) and data.draw(st.booleans()):
            change(value[key], data)
        elif data.draw(st.booleans()):
            value[key] = data.draw(SCALARS)
        else:
            value.pop(key, None)
    return value


@settings(max_examples=300, deadline=None)
@given(mappings(), st.data())
def test_mappings_are_merged_item_by_item(old, data):
    """Against an oracle that copies. Items that both sides made containers of are not in it."""
    was = twin(old)
    base = taken(old)
    new = change(twin(old), data)
    change(old, data)
    expected, conflicts = oracle(was, twin(old), twin(new))

    found = merged(base, old, new)

    assert sorted(found.conflicts) == sorted(conflicts)
    assert repr(sort(old)) == repr(sort(expected))


def sort(value):
    """Return a mapping with its keys in order."""
    return {key: sort(each) if isinstance(each, dict) else each for key, each in sorted(value.items())}


def disturb(value, data):
    """Change a value as a program would, at some depth."""
    if isinstance(value, dict):
        for key in list(value):
            if isinstance(value[key], (dict, list, set, deque)) and data.draw(st.booleans()):
                disturb(value[key], data)
            elif data.draw(st.integers(0, 3)) == 0:
                del value[key]
        value[data.draw(st.sampled_from("abxyz"))] = data.draw(SCALARS)
    elif isinstance(value, (list, deque)):
        for each in value:
            if isinstance(each, (dict, list, set, deque)):
                disturb(each, data)
        if value and data.draw(st.booleans()):
            value.pop()
        value.append(data.draw(SCALARS))
    else:
        value.add(data.draw(st.integers(0, 9)))
        value.discard(data.draw(st.integers(0, 5)))


# --- The rows of the table, one by one ----------------------------------------------------------------------------


def versions(old_text, new_text):
    """Run two texts as two versions of one module; return their namespaces."""
    found = []
    for text in (old_text, new_text):
        namespace = {"__name__": "thing"}
        exec(text, namespace)
        found.append(namespace)
    return found


REGISTRY = """
REG = {KIND}
def register(function):
    REG{ADD}
    return function
@register
def a(): return VALUE
@register
def b(): return VALUE
"""


def registries(kind, add, more="", value=2):
    """Return the namespaces of two versions of a module with a registry."""
    old = REGISTRY.replace("{KIND}", kind).replace("{ADD}", add).replace("VALUE", "1")
    return versions(old, old.replace("return 1", f"return {value}") + more)


@pytest.mark.parametrize(
    ("kind", "add"),
    [("{}", "[function.__name__] = function"), ("[]", ".append(function)"), ("set()", ".add(function)")],
)
def test_a_registry_that_decorators_fill_has_the_new_functions_and_keeps_what_others_put_in(kind, add):
    """By qualified name, one for one: no old function stays, none is there twice."""
    old, new = registries(kind, add, "@register\ndef c(): return 2\n")
    reg, base = old["REG"], taken(old["REG"])
    if kind == "{}":
        reg["theirs"] = len
    elif kind == "[]":
        reg.append(len)
    else:
        reg.add(len)

    merged(base, reg, new["REG"], Own(old, new))

    functions = list(reg.values()) if kind == "{}" else list(reg)
    assert sorted(each.__name__ for each in functions) == ["a", "b", "c", "len"]
    assert {each() for each in functions if each is not len} == {2}


def test_a_registry_keyed_by_functions_and_classes_gets_the_new_keys():
    """The key is the definition: it is exchanged with the value."""
    text = "def f(): pass\nclass C: pass\nREG = {f: 1, C: [1], 'x': 0}\n"
    old, new = versions(text, text.replace("C: [1]", "C: [2]"))
    reg, base, inner = old["REG"], taken(old["REG"]), old["REG"][old["C"]]
    reg["theirs"] = 3

    merged(base, reg, new["REG"], Own(old, new))

    assert list(reg) == [new["f"], new["C"], "x", "theirs"]
    assert reg[new["C"]] is inner
    assert inner == [2]


def test_lambdas_and_partials_count_by_their_position():
    """They have no name by which to find them."""
    text = "import functools\nREG = [lambda: 1, functools.partial(int, '1'), lambda: 1]\n"
    old, new = versions(text, text.replace("1", "2"))
    reg, base = old["REG"], taken(old["REG"])
    del reg[0]  # at run time
    reg.append("theirs")

    merged(base, reg, new["REG"], Own(old, new))

    assert [each() if callable(each) else each for each in reg] == [2, 2, "theirs"]
    assert isinstance(reg[0], functools.partial)


def test_a_function_that_came_at_run_time_is_the_new_one_of_its_name():
    """A handler registered in `main()` counts as the body's, at any depth."""
    old, new = versions("def f(): return 1\nR = {}", "def f(): return 2\nR = {}")
    reg, base = old["R"], taken(old["R"])
    reg["f"], reg["more"] = old["f"], [old["f"], len]

    merged(base, reg, new["R"], Own(old, new))

    assert reg == {"f": new["f"], "more": [new["f"], len]}


def test_an_item_that_all_three_have_otherwise_stays_as_it_runs_and_is_named():
    """Down to its path."""
    old = {"a": {"b": 1, "c": 1}}
    base = taken(old)
    old["a"]["b"] = 2

    found = merged(base, old, {"a": {"b": 3, "c": 3}})

    assert found.conflicts == ["['a']['b']"]
    assert old == {"a": {"b": 2, "c": 3}}


def test_an_item_that_the_program_deleted_stays_deleted():
    """In a dict, a set and a list."""
    old = {"d": {"a": 1, "b": 1}, "s": {1, 2}, "l": ["x", "y"]}
    base = taken(old)
    del old["d"]["a"], old["l"][0]
    old["s"].discard(1)

    merged(base, old, {"d": {"a": 1, "b": 2}, "s": {1, 2, 3}, "l": ["x", "y", "z"]})

    assert old == {"d": {"b": 2}, "s": {2, 3}, "l": ["y", "z"]}


def test_the_body_s_elements_of_a_list_are_replaced_and_what_came_stays_behind_them():
    """A list and a deque."""
    for kind in (list, deque):
        old = kind(["a", "b"])
        base = taken(old)
        old.append("late")

        found = merged(base, old, kind(["z", "a", "c"]))

        assert list(old) == ["z", "a", "c", "late"]
        assert found.unmerged == []


def test_a_list_whose_parts_cannot_be_told_apart_stays_and_is_named():
    """Equal elements, in another order."""
    old = [1, 1]
    base = taken(old)
    old[:] = [2, 1, 1]

    found = merged(base, old, [1, 3])

    assert old == [2, 1, 1]
    assert found.unmerged == [("", UNTELLABLE)]


def test_the_order_is_the_new_body_s_then_the_rest():
    """In a table of routes the first match wins."""
    old = {"/a": 1, "/": 1}
    base = taken(old)
    old["/late"] = 1

    merged(base, old, {"/b": 1, "/a": 1, "/": 1})

    assert list(old) == ["/b", "/a", "/", "/late"]


def test_an_order_that_the_program_made_stays_if_the_body_s_is_the_same():
    """As of a cache that moves what was used last to its end."""
    old = OrderedDict(a=1, b=1)
    base = taken(old)
    old.move_to_end("a")

    merged(base, old, OrderedDict(a=1, b=2))

    assert list(old.items()) == [("b", 2), ("a", 1)]


class Picky:
    """A key that nobody may compare."""

    def __eq__(self, other):
        raise AssertionError("it was compared")

    def __hash__(self):
        return 1


def test_a_user_s_equality_is_never_asked():
    """As a value it is compared by identity; a container with such keys that was touched stays whole, and is named."""
    picky = Picky()
    old = {"a": picky, "b": 1}
    base = taken(old)

    assert merged(base, old, {"a": Picky(), "b": 2}).conflicts == []
    assert old["b"] == 2
    assert old["a"] is not picky

    keyed = {picky: 1}
    base = taken(keyed)
    assert merged(base, keyed, {Picky(): 2}).unmerged == []
    assert list(keyed.values()) == [2]

    base = taken(keyed)
    keyed["run"] = 3
    assert merged(base, keyed, {Picky(): 4}).unmerged == [("", OWN_EQUALITY)]
    assert list(keyed.values()) == [2, 3]


def test_what_is_taken_as_a_whole_comes_back_by_undo():
    """Mappings and sets of all kinds."""
    picky, other = Picky(), Picky()
    for old, new in (
        ({picky: 1}, {other: 2}),
        (OrderedDict({picky: 1}), OrderedDict({other: 2})),
        (Counter({picky: 1}), Counter({other: 2})),
        (defaultdict(list, {picky: 1}), defaultdict(list, {other: 2})),
        ({picky}, {other}),
    ):
        found = merge(taken(old), old, new, NOBODY)
        (edit,) = found.edits

        edit.apply()
        assert [id(key) for key in old] == [id(other)]
        edit.undo()
        assert [id(key) for key in old] == [id(picky)]
        assert len(old) == 1


def test_without_a_base_nothing_is_taken_out_and_the_new_body_s_keys_are_added():
    """Of a module that was imported before anybody looked."""
    old = {"a": {"x": 1}, "b": 1}

    merged(None, old, {"a": {"x": 2, "y": 2}, "c": 3})

    assert old == {"a": {"x": 1, "y": 2}, "b": 1, "c": 3}


@pytest.mark.parametrize(
    ("now", "new"), [([1], [0]), ([], [0]), (["late", "a"], ["a", "b"]), ([{}], [{}, {}]), (deque([1]), deque([0]))]
)
def test_a_list_without_a_base_stays_if_nobody_can_tell_what_came(now, new):
    """The program may have taken out what the new body has besides, or replaced it; that is told."""
    before = list(now)

    found = merged(None, now, new)

    assert list(now) == before
    assert found.unmerged == [("", UNTELLABLE)]


def test_a_list_without_a_base_that_has_all_stays_and_nothing_is_told():
    """What came at run time is in it too."""
    now = ["late", "a", {}, "more"]

    found = merged(None, now, ["a", {}])

    assert now == ["late", "a", {}, "more"]
    assert found.unmerged == []


@pytest.mark.parametrize("kind", [Counter, OrderedDict, defaultdict])
def test_the_relatives_of_dict_are_merged_as_dicts(kind):
    """By what is in them, and without their own methods: a defaultdict makes no items."""
    old = kind() if kind is not defaultdict else defaultdict(list)
    old["a"] = 1
    base = taken(old)
    old["b"] = 5
    new = copy.copy(old)
    new.clear()
    new.update({"a": 2, "c": 3})

    merged(base, old, new)

    assert dict(old) == {"a": 2, "b": 5, "c": 3}
    assert list(old) == ["a", "c", "b"]


def test_a_bytearray_is_one_item():
    """Changed by one side only it is that one's."""
    old = bytearray(b"a")
    base = taken(old)
    merged(base, old, bytearray(b"b"))
    assert old == b"b"

    base = taken(old)
    old += b"c"
    assert merged(base, old, bytearray(b"x")).conflicts == [""]
    assert old == b"bc"


def test_a_container_that_holds_itself_is_merged():
    """And copied: once."""
    old = {"n": 1}
    old["me"] = old
    base = taken(old)
    new = {"n": 2}
    new["me"] = new

    merged(base, old, new)

    assert old["n"] == 2
    assert old["me"] is old


def test_a_container_of_more_than_ten_thousand_items_at_all_depths_is_not_copied():
    """Nobody can tell its items apart then."""
    assert copy_of(list(range(10_001))) is TOO_LARGE
    assert copy_of([list(range(3_000)) for _ in range(4)]) is TOO_LARGE
    assert isinstance(copy_of([list(range(2_000)) for _ in range(4)]), Copy)


def test_an_element_in_two_places_is_merged_once():
    """It is one container."""
    inner = [1]
    old = {"a": inner, "b": inner}
    base = taken(old)
    inner.append(9)
    made = [2]

    merged(base, old, {"a": made, "b": made})

    assert old["a"] is inner
    assert old["b"] is inner
    assert inner == [2, 9]


def test_a_function_replaced_at_run_time_stays_if_the_body_made_the_same():
    """A wrapper that a tracer has put in is the program's."""
    old, new = versions("def f(): pass\nR = {'f': f}", "def f(): return 2\nR = {'f': f}")
    base = taken(old["R"])

    def traced():
        pass

    old["R"]["f"] = traced
    found = merged(base, old["R"], new["R"], Own(old, new))

    assert old["R"]["f"] is traced
    assert found.conflicts == []
    assert isinstance(new["f"], FunctionType)
