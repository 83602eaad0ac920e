"""Names that a module is asked for and does not have: `counter.codeswich`."""

from __future__ import annotations

import pytest

from midflight import code
from midflight.code import LoadError

HEAD = "import thing\nimport os.path\n\n\ndef codeswitch(n):\n    pass\n\n\n"


def test_a_slip_in_a_qualified_call_is_refused(project):
    """A process that comes there would end."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", f"{HEAD}async def loop(n):\n    return thing.codeswich(n)\n")

    (problem,) = caught.value.report.refusals
    assert problem.message == (
        "thing has no 'codeswich'; a process that comes here would end with AttributeError; "
        "perhaps 'codeswitch' is meant"
    )
    assert (problem.code, problem.line, problem.column, problem.end_column) == ("undefined-name", 10, 11, 26)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return thing.codeswitch, thing.__name__, thing.__dict__, thing.__file__",
        "def f():\n    return thing.later\nlater = 1",
        "def f():\n    return thing.late\ndef g():\n    global late\n    late = 1",
        "def f():\n    return thing.late\ndef g():\n    thing.late = 1",
        "def f():\n    return hasattr(thing, 'late') and thing.late",
        "def f():\n    try:\n        return thing.late\n    except (KeyError, AttributeError):\n        pass",
        "def f(thing):\n    return thing.late",
        "def f():\n    thing = f\n    return lambda: thing.late",
        "def f():\n    return thing.anything\ndef __getattr__(name):\n    return 1",
        "def f():\n    return os.nonesuch",
        "import sys, types\nclass M(types.ModuleType):\n    late = 1\n"
        "sys.modules[__name__].__class__ = M\ndef f():\n    return thing.late",
    ],
)
def test_what_is_there_or_may_be_is_not_refused(project, text):
    """Set later, asked for by name, of another thing, of a module that answers for itself, of one of others."""
    project.load_text("thing", "x = 1\n")

    assert project.load_text("thing", f"{HEAD}{text}\n").warnings == ()


def test_of_another_module_of_the_code_server_it_is_a_warning(project):
    """That one may be loaded next."""
    project.load_text("cart", "def add(): pass\n")

    report = project.load_text("thing", f"{HEAD}import cart\ndef f():\n    return cart.ad()\n")

    (warning,) = report.warnings
    assert (warning.severity, warning.line) == ("warning", 11)
    assert warning.message.startswith("cart has no 'ad'; ")
    assert warning.message.endswith("; perhaps 'add' is meant")
    assert project.load_text("thing", f"{HEAD}import cart\ndef f():\n    return cart.add()\n").warnings == ()


def test_a_package_may_have_it_as_a_module(project):
    """Somebody imports it in time."""
    project.write("shop/cart.py", "")
    project.write("shop/__init__.py", "import shop\ndef f():\n    return shop.cart, shop.cash\n")

    with pytest.raises(LoadError) as caught:
        project.load_text("shop/__init__", "import shop\ndef f():\n    return shop.cart, shop.cash\n")

    assert [each.message.partition(";")[0] for each in caught.value.report.refusals] == ["shop has no 'cash'"]


def test_of_modules_that_are_loaded_together_the_new_ones_count(project):
    """Whatever comes first."""
    project.load_text("cart", "def add(): pass\n")
    project.load_text("thing", "x = 1\n")
    thing = project.write("thing.py", "import cart\ndef f():\n    return cart.put()\n")

    reports = code.load_many([thing, project.write("cart.py", "def put(): pass\n")])

    assert [report.warnings for report in reports] == [(), ()]
