"""Edits that rivals are compared by: one module, and what a program keeps of it."""

from __future__ import annotations

import asyncio

from rival_edit import EDITS, Edit, age, edit, tried, until

__all__ = ["EDITS", "MIDFLIGHT"]

TUTORIAL = """
async def loop(queue, answers, total):
    while True:
        match await queue.get():
            case ("increment", count):
                total += count
            case "tell":
                answers.append(total){}
            case _:
                answers.append("unhandled")
"""
RESET = "\n            case 'reset':\n                total = 0"

PROCESS = """
from midflight import receive
import m


async def loop(answers, total):
    match await receive():
        case ("increment", count):
            return loop(answers, total + count)
        case "tell":
            answers.append(total)
            return loop(answers, total){}
        case "code_switch":
            return m.loop(answers, total)
        case _:
            answers.append("unhandled")
            return loop(answers, total)
"""
RESET_PROCESS = "\n        case 'reset':\n            return loop(answers, 0)"


@edit("the tutorial: a running counter learns `reset`", TUTORIAL.format(""), TUTORIAL.format(RESET))
class tutorial:
    async def before(m, kept):
        kept.answers, kept.queue = [], asyncio.Queue()
        kept.task = asyncio.ensure_future(m.loop(kept.queue, kept.answers, 0))
        kept.queue.put_nowait(("increment", 3))
        kept.queue.put_nowait("tell")
        await until(lambda: kept.answers)

    async def after(m, kept):
        for message in ("reset", "tell", "reset", "tell", "tell"):
            kept.queue.put_nowait(message)
        await until(lambda: kept.queue.empty())
        kept.task.cancel()
        return _what_it_did(kept.answers)


class tutorial_in_midflight:
    """The same with a process, which is told to switch, as the tutorial does."""

    async def before(m, kept):
        from midflight import spawn

        kept.answers = []
        kept.pid = spawn(m.loop, kept.answers, 0)
        for message in (("increment", 3), "tell"):
            kept.pid << message
        await until(lambda: kept.answers)

    async def after(m, kept):
        for message in ("reset", "tell", "code_switch", "tell", "reset", "tell"):
            kept.pid << message
        await until(lambda: 0 in kept.answers)
        return _what_it_did(kept.answers)


def _what_it_did(answers: list[object]) -> str:
    kept = "kept" if 3 in answers[1:] else "lost"
    if 0 in answers:
        return f"new when it is told to switch; state {kept}"
    return f"always old; state {kept}"


MIDFLIGHT = {  # where Midflight's programs are written another way
    "tutorial": Edit(
        EDITS["tutorial"].title,
        PROCESS.format(""),
        PROCESS.format(RESET_PROCESS),
        tutorial_in_midflight.before,
        tutorial_in_midflight.after,
    )
}


DATACLASS = "import dataclasses\n\n@dataclasses.dataclass\nclass P:\n    n: int = 1\n"


@edit("a field is added to a dataclass", DATACLASS, DATACLASS + "    m: int = 5\n")
class dataclass_field:
    async def before(m, kept):
        kept.object = m.P()

    async def after(m, kept):
        made = "new" if "m=5" in repr(m.P()) else "old"
        return f"new objects: {made}; old object is a P: {'yes' if isinstance(kept.object, m.P) else 'no'}"


DECORATED = """
def first(f):
    return lambda: 1

def second(f):
    return lambda: 2

@{}
def f():
    pass
"""


@edit("a decorator is changed", DECORATED.format("first"), DECORATED.format("second"))
class decorator:
    async def before(m, kept):
        kept.function = m.f

    async def after(m, kept):
        return f"m.f: {tried(lambda: m.f())}; held: {tried(kept.function)}"


CLOSURE = "def make():\n    def closure():\n        return {}\n    return closure\n"


@edit("a closure was made before", CLOSURE.format(1), CLOSURE.format(2))
class closure:
    async def before(m, kept):
        kept.closure = m.make()

    async def after(m, kept):
        return f"held: {tried(kept.closure)}; made now: {tried(m.make())}"


ENUM = "import enum\n\nclass Colour(enum.Enum):\n    RED = 1\n"


@edit("a member is added to an enum", ENUM, ENUM + "    BLUE = 2\n")
class enum_member:
    async def before(m, kept):
        kept.red = m.Colour.RED

    async def after(m, kept):
        blue = "there" if hasattr(m.Colour, "BLUE") else "missing"
        return f"BLUE: {blue}; kept RED {'equals' if kept.red == m.Colour.RED else 'differs from'} RED"


@edit("a default argument is changed", "def f(n=1):\n    return n\n", "def f(n=2):\n    return n\n")
class default_argument:
    async def before(m, kept):
        kept.function = m.f

    async def after(m, kept):
        return f"m.f: {tried(m.f)}; held: {tried(kept.function)}"


SUPER = """
class Base:
    def answer(self):
        return {}

class Child(Base):
    def answer(self):
        return super().answer()
"""


@edit("a class calls super()", SUPER.format(1), SUPER.format(2))
class class_with_super:
    async def before(m, kept):
        kept.object = m.Child()

    async def after(m, kept):
        return f"old object: {tried(kept.object.answer)}; new object: {tried(m.Child().answer)}"


@edit("another module did `from m import f`", "def f():\n    return 1\n", "def f():\n    return 2\n")
class from_import:
    async def before(m, kept):
        import user

        kept.user = user

    async def after(m, kept):
        return f"user.f: {tried(kept.user.f)}"


LOOP = """
async def loop(queue, answers):
    total = 0
    while True:
        total += await queue.get()
        answers.append((NUMBER, total))

NUMBER = {}
""".replace("NUMBER, total", "{}, total")


@edit("a coroutine is suspended in a loop", LOOP.format(1, 1), LOOP.format(2, 2))
class suspended_coroutine:
    async def before(m, kept):
        kept.queue, kept.answers = asyncio.Queue(), []
        kept.task = asyncio.ensure_future(m.loop(kept.queue, kept.answers))
        kept.queue.put_nowait(3)
        await until(lambda: kept.answers)

    async def after(m, kept):
        for _ in range(2):
            kept.queue.put_nowait(1)
        await until(lambda: len(kept.answers) == 3)
        kept.task.cancel()
        (_, (first, _), (second, total)) = kept.answers
        return f"1st message: {age(first)}; 2nd: {age(second)}; state {'kept' if total == 5 else 'lost'}"


GENERATOR = "def numbers():\n    while True:\n        yield {}\n"


@edit("a generator is in flight", GENERATOR.format(1), GENERATOR.format(2))
class generator:
    async def before(m, kept):
        kept.generator = m.numbers()
        next(kept.generator)

    async def after(m, kept):
        return f"in flight: {tried(lambda: next(kept.generator))}; made now: {tried(lambda: next(m.numbers()))}"


@edit("a function is removed", "def f():\n    return 1\n\ndef g():\n    pass\n", "def g():\n    pass\n")
class function_removed:
    async def before(m, kept):
        kept.function = m.f

    async def after(m, kept):
        return f"m.f: {'still there' if hasattr(m, 'f') else 'gone'}; held: {tried(kept.function)}"


@edit("a constant is changed", "LIMIT = 1\n\ndef f():\n    return LIMIT\n", "LIMIT = 2\n\ndef f():\n    return LIMIT\n")
class constant:
    async def before(m, kept):
        kept.function = m.f

    async def after(m, kept):
        return f"m.LIMIT: {age(m.LIMIT)}; in m.f: {tried(m.f)}; in f held: {tried(kept.function)}"


METHOD = "class P:\n    def answer(self):\n        return 1\n"


@edit("a method is added to a live object's class", METHOD, METHOD + "\n    def more(self):\n        return 2\n")
class method_added:
    async def before(m, kept):
        kept.object = m.P()

    async def after(m, kept):
        return f"old object: {tried(lambda: kept.object.more())}; is a P: {isinstance(kept.object, m.P)}"


CAUGHT = """
class Problem(Exception):
    pass

def answer(error):
    try:
        raise error
    except Problem:
        return {}
"""


@edit("an exception made by old code is raised in new code", CAUGHT.format(1), CAUGHT.format(2))
class exception_class:
    async def before(m, kept):
        kept.error = m.Problem()

    async def after(m, kept):
        return "caught" if tried(lambda: m.answer(kept.error)) == "new" else "not caught"


STATE = "COUNT = 0\n\ndef count():\n    global COUNT\n    COUNT += 1\n    return COUNT\n"


@edit("the module counts in a global", STATE, STATE + "\ndef more():\n    pass\n")
class module_state:
    async def before(m, _):
        m.count(), m.count()

    async def after(m, _):
        return "state kept" if m.count() == 3 else "state lost"


@edit("the new text has a syntax error", "def f():\n    return 1\n", "def f():\n    return 2\n\ndef g(:\n")
class syntax_error:
    async def before(m, kept):
        kept.function = m.f

    async def after(m, kept):
        return f"m.f: {tried(m.f)}; held: {tried(kept.function)}"
