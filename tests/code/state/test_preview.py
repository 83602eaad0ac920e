"""A preview says what would become of the module's state, and leaves every value as it is."""

from __future__ import annotations

import copy
import sys

import pytest

from midflight import code
from midflight.code.report.load_report import summary, text

TEXT = """
import threading
CACHE = {"tea": 1}
RATES = [1, 2]
NAMES = {"ada"}
LOCK = threading.Lock()
hits = 0
class Order:
    def __init__(self, name): self.name = name
ORDERS = []
def hit():
    global hits
    hits += 1
    CACHE[hits] = hits
"""

NEW = (
    TEXT.replace("RATES = [1, 2]", "RATES = [1, 2, 3]")
    .replace("self.name = name", "self.name = name.upper()")
    .replace('NAMES = {"ada"}', 'NAMES = {"ada", "eva"}')
)


@pytest.fixture
def shop(project):
    project.load_text("shop", TEXT)
    shop = sys.modules["shop"]
    shop.hit()
    shop.RATES.append(7)
    shop.NAMES.add("bob")
    shop.ORDERS.append(shop.Order("tea"))
    return shop


def outcomes(report):
    """Return what becomes of each name."""
    return sorted((each.name, each.outcome, each.size, each.new_size) for each in report.state)


def test_a_preview_says_of_the_state_what_the_load_then_says(project, shop):
    """Kept, left behind, migrated: the same rows, sizes included."""
    found = code.preview("shop", NEW).report

    report = project.load_text("shop", NEW)

    assert {each.outcome for each in found.state} == {"kept", "left", "migrated"}
    assert outcomes(found) == outcomes(report)
    assert "kept state: CACHE (2), LOCK, hits" in summary(found)
    assert "State of the module" in text(found)


def test_a_preview_leaves_the_state_as_it_is(project, shop):
    """Each name has the object that it had, with what was in it, in its order, and objects have their class."""
    before = {name: getattr(shop, name) for name in ("CACHE", "RATES", "NAMES", "LOCK", "hits", "ORDERS", "Order")}
    content = copy.deepcopy({name: value for name, value in before.items() if name in ("CACHE", "RATES", "NAMES")})

    code.preview("shop", NEW)

    assert all(getattr(shop, name) is value for name, value in before.items())
    assert {name: before[name] for name in content} == content
    assert list(shop.CACHE) == ["tea", 1]
    assert type(shop.ORDERS[0]) is shop.Order


def test_a_preview_leaves_nothing_behind(project):
    """What would be left behind is where it was, so there is nothing to recover."""
    project.load_text("rates", "RATES = [1]\n")
    sys.modules["rates"].RATES.append(2)

    code.preview("rates", "RATES = [3]\n")

    with pytest.raises(LookupError):
        code.recover("rates", "RATES")


def test_a_preview_of_members_of_an_enum_leaves_them_with_others(project):
    """The report says whose would be renewed."""
    colors = "import enum\nclass Color(enum.Enum):\n    RED = 1\n"
    project.load_text("colors", colors)
    project.load_text("desk", "import colors\nHELD = {colors.Color.RED: [colors.Color.RED]}\n")
    red = sys.modules["colors"].Color.RED

    report = code.preview("colors", colors + "    BLUE = 2\n").report

    assert [each.name for each in report.state if each.outcome == "migrated"] == ["Color"]
    assert {red: [red]} == sys.modules["desk"].HELD
    assert sys.modules["desk"].HELD[red][0] is red
