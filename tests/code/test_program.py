"""A file that runs as `__main__` is one module: for imports elsewhere, for pickle, and for loads."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

APP = """
import asyncio, pickle, sys
from dataclasses import dataclass
import midflight
from midflight import code, receive, send

ROOMS = {}
TIMES = {}


@dataclass
class Room:
    title: str

    def shown(self):
        return f"<{self.title}>"


def greet():
    return "hello, " + args


def load(old, new):
    return code.load("app", open(__file__).read().replace(old, new, 1))


"""

MAIN = """
if __name__ == "__main__":
    args = "Ada"
    TIMES["started"] = TIMES.get("started", 0) + 1
    midflight.run(main)
    print("ended", __name__)
"""


@pytest.fixture
def run(project):
    """Give a function that runs app.py with the lines of a coroutine `main` in it, and returns what it prints."""

    def started(main: str, *command: str, end: str = MAIN, head: str = APP) -> list[str]:
        body = "async def main():\n" + "".join(f"    {line}\n" for line in dedent(main).strip().splitlines())
        path = project.write("app.py", head.lstrip() + body + end)
        done = subprocess.run(
            [sys.executable, *(command or (path,))], cwd=project.root, capture_output=True, text=True, check=False
        )
        assert not [line for line in done.stderr.splitlines() if " is old, and " not in line], done.stderr
        return done.stdout.splitlines()

    return started


def test_an_import_elsewhere_finds_what_runs(run, project):
    """There is no second copy, with state of its own."""
    project.write("shop.py", "import app\ndef room(): return app.ROOMS['x']\n")

    lines = run("""
        ROOMS["x"] = Room("X")
        import shop
        print(sys.modules["app"] is sys.modules["__main__"], shop.room().shown())
    """)

    assert lines == ["True <X>", "ended __main__"]


def test_a_load_makes_the_program_s_module_current(run):
    """State and classes are kept, the part for the program is not run again, and what it bound is still there."""
    lines = run("""
        room = ROOMS["x"] = Room("X")
        report = load("hello", "good day")
        import app
        print(report.module, report.version, report.changed, report.kept, report.warnings)
        print(sorted(each.sized() for each in report.state if each.outcome == "kept"))
        print(app.greet(), app.TIMES, app.ROOMS["x"] is room, app.Room is Room, sys.modules["__main__"] is app)
        print(load("good", "bad").version, app.greet())
    """)

    assert lines == [
        "app 2 ('greet',) ('Room',) ()",
        "['ROOMS (1)', 'TIMES (1)']",
        "good day, Ada {'started': 1} True True True",
        "3 hello, Ada",
        "ended app",
    ]


def test_pickles_name_the_module_and_not_the_program(run):
    """Before a load and after it."""
    lines = run("""
        before = pickle.dumps(Room("X"))
        print(b"__main__" in before, b"app" in before, pickle.loads(before))
        load("<{self", "[{self")
        after = pickle.dumps(sys.modules["app"].Room("Y"))
        print(b"__main__" in after, pickle.loads(after).shown(), pickle.loads(before).shown())
    """)

    assert lines[:2] == ["False True Room(title='X')", "False [Y> [X>"]


def test_it_is_found_by_its_path_and_by_the_name_of_the_program(run):
    """As an editor and as the program itself ask for it."""
    lines = run("""
        print(code.load(__file__).module, code.load("__main__").version, code.versions("app")[-1].version)
        print([each.name for each in code.modified_modules()])
    """)

    assert lines[:2] == ["app 3 3", "[]"]


def test_an_edit_of_the_file_is_noticed(run):
    """`load --modified` takes it as it takes any module."""
    lines = run("""
        text = open(__file__).read()
        open(__file__, "w").write(text.replace("hello", "good day", 1))
        print([(each.module, each.changed) for each in code.load_modified()])
        print(sys.modules["app"].greet())
    """)

    assert lines[:2] == ["[('app', ('greet',))]", "good day, Ada"]


def test_a_process_of_the_program_moves_by_a_qualified_call(run):
    """It is in version 1 of the module until then."""
    head = APP + "async def loop(n):\n    await receive()\n    import app\n    return app.told(n)\n"
    head += "async def told(n):\n    print('v', code.versions('app')[-1].version, n)\n"
    lines = run(
        """
        pid = midflight.spawn_monitor(loop, 7)[0]
        await midflight.sleep(0)
        report = load("print('v'", "print('V'")
        print([each.version for each in report.lingering])
        send(pid, "go")
        await receive()
        """,
        head=head,
    )

    assert lines[:2] == ["[1, 1]", "V 2 7"]


def test_a_package_s_module_run_by_m(project, run):
    """It has its dotted name, and its package has it."""
    project.write("shop/__init__.py", "")
    text = APP.lstrip().replace('load("app"', 'load("shop.desk"')
    body = """
async def main():
    import shop
    report = load("hello", "good day")
    print(report.module, shop.desk.greet(), report.warnings)
"""
    project.write("shop/desk.py", text + body + MAIN)

    lines = run("pass", "-m", "shop.desk")

    assert lines[0] == "shop.desk good day, Ada ()"


def test_what_stands_below_the_question_is_for_the_next_start(run):
    """A change there is named, and not made."""
    lines = run("""
        report = load('args = "Ada"\\n    TIMES', 'args = "Bob"\\n    TIMES')
        print(sys.modules["app"].greet())
        print([each.message for each in report.warnings])
    """)

    assert lines[0] == "hello, Ada"
    assert "a load does not run it, the next start does" in lines[1]


def test_a_program_that_imports_itself_at_its_top_is_two_modules(run):
    """The copy was there before anybody could help it: the report says so."""
    lines = run(
        """
        report = code.load(__file__)
        print(app is sys.modules["__main__"], [each.code for each in report.warnings])
        """,
        head="import app\n" + APP.lstrip(),
    )

    assert lines[0].startswith("False [")
    assert "'main'" in lines[0]


def test_a_load_before_the_question_leaves_the_program_its_name(run):
    """Else the rest of the body would take itself for an imported module."""
    lines = run(
        "pass", end=f'if __name__ != "app":\n    print(load("hello", "good day").version, greet.__module__)\n{MAIN}'
    )

    assert lines == ["2 app", "ended __main__"]


def test_a_refused_load_leaves_the_program_as_it_is(run):
    """Nothing has changed for who imports it."""
    lines = run("""
        try:
            load("def greet():", "raise LookupError\\ndef greet():")
        except code.LoadError as error:
            print(str(error).partition(".")[0])
        import app
        print(app.greet(), app.Room is Room)
    """)

    assert lines[0].startswith("app not loaded: line ")
    assert lines[1] == "hello, Ada True"
