"""Functions and classes of a module in its own kept state: what the program put there gives way to the new ones."""

from __future__ import annotations

from midflight import code

from .conftest import told

TEXT = """
from midflight import receive
STORE, SEEN, LINE, DEEP, CALLS = {}, set(), [], {"a": {}}, []
class A:
    def on(self): return 1
def g(): return 1
def fill():
    a = A()
    STORE[A], STORE[g], STORE["g"] = a, 1, g
    SEEN.update({A, g})
    LINE.extend([A, g, (A, g)])
    DEEP["a"][A, 1] = [g]
    CALLS.append(a.on)
    return a
async def wait():
    await receive()
    return wait()
"""


def test_they_are_the_new_ones_as_keys_elements_and_values_at_every_depth(thing):
    """The order of the keys stays."""
    thing.load(TEXT)
    thing.module.fill()

    thing.edit("return 1", "return 2")

    module = thing.module
    assert list(module.STORE) == [module.A, module.g, "g"]
    assert module.STORE["g"]() == 2
    assert {module.A, module.g} == module.SEEN
    assert [module.A, module.g, (module.A, module.g)] == module.LINE
    assert module.DEEP["a"][module.A, 1] == [module.g]
    assert type(module.STORE[module.A]) is module.A


def test_a_bound_method_of_an_object_that_migrates_runs_the_new_code(thing):
    """It equals one that is taken now, so that `remove(obj.method)` works."""
    thing.load(TEXT)
    a = thing.module.fill()

    thing.edit("return 1", "return 2")

    assert thing.module.CALLS[0]() == 2
    assert [a.on] == thing.module.CALLS


def test_a_preview_leaves_them_as_they_were(thing):
    """It makes the changes of a commit and takes them back: each has its undo."""
    thing.load(TEXT)
    thing.module.fill()
    module, method = thing.module, thing.module.CALLS[0]

    code.preview("thing", TEXT.replace("return 1", "return 2"))

    assert list(module.STORE) == [module.A, module.g, "g"]
    assert sorted(map(id, module.SEEN)) == sorted(map(id, (module.A, module.g)))
    assert list(module.LINE) == [module.A, module.g, (module.A, module.g)]
    assert module.DEEP["a"][module.A, 1] == [module.g]
    assert [method] == module.CALLS
    assert method() == 1


def test_keys_stay_while_a_process_runs_the_old_version_and_that_is_named(thing, runtime):
    """Its code looks them up by the old class; values give way all the same."""
    thing.load(TEXT)
    thing.module.fill()
    old = thing.module.A
    pid = runtime.spawn(thing.module.wait)
    runtime.run_until_idle()

    report = thing.edit("return 1", "return 2")

    assert old in thing.module.STORE
    assert old in thing.module.SEEN
    assert thing.module.STORE["g"]() == 2
    (why,) = [why for outcome, why in told(report, "A") if "stays a key" in why]
    assert f"{pid!r} is in wait" in why
    assert "code.migrate_objects('thing') migrates them later" in why
    runtime.shutdown()

    code.migrate_objects("thing")

    assert thing.module.A in thing.module.STORE
    assert {thing.module.A, thing.module.g} == thing.module.SEEN


def test_a_registry_that_a_kept_base_class_fills_again_has_each_class_once(thing):
    """The new one takes the place of the older one."""
    thing.load(
        "class Base:\n    known = []\n    def __init_subclass__(cls): Base.known.append(cls)\n"
        "class A(Base):\n    x = 1\nclass B(Base): pass\n"
    )
    module, known = thing.module, thing.module.Base.known
    late = type("Late", (module.Base,), {})

    for number in range(2, 5):
        thing.edit(f"x = {number - 1}", f"x = {number}")

    assert module.Base.known is known
    assert known == [module.A, module.B, late]


def test_a_loop_over_values_goes_on_and_one_over_keys_keeps_them(thing):
    """The second is named, and done later."""
    thing.load("VALUES, KEYS, LINE = {}, {}, []\ndef g(): return 1\ndef h(): return 1\n")
    module = thing.module
    module.VALUES.update(a=module.g, b=module.h)
    module.KEYS.update({module.g: 1, module.h: 2})
    module.LINE.extend([module.g, module.h])
    loops = [iter(module.VALUES.values()), iter(module.KEYS), iter(module.LINE)]
    for loop in loops:
        next(loop)

    report = thing.edit("def h(): return 1", "def h(): return 2")

    assert next(loops[0])() == 2
    assert next(loops[1])() == 1
    assert next(loops[2])() == 2
    assert "a loop is in the midst of it" in told(report, "h")[0][1]
    loops.clear()
    code.migrate_objects("thing")
    assert list(module.KEYS) == [module.g, module.h]
