"""Members of a superseded enum that other modules hold become the members of the new one, where that is safe."""

from __future__ import annotations

import gc
import sys

import pytest

from midflight import call, exit
from midflight.code import LoadError

COLORS = """
import enum
class Color(enum.Enum):
    RED = 1
    BLUE = 2
"""
MORE = COLORS + "    GREEN = 3\n"

SHOP = """
from collections import deque
import colors
from midflight import GenServer, receive
class Shop(GenServer):
    limit = colors.Color.RED
    def init(self):
        self.color = colors.Color.RED
        self.many = [colors.Color.RED, (1, colors.Color.BLUE)]
    def handle_call(self, request, client):
        return self.color is colors.Color.RED, self.many == [colors.Color.RED, (1, colors.Color.BLUE)]
KEYS = {colors.Color.BLUE: 1, "x": colors.Color.RED, colors.Color.RED: 2}
SET = {colors.Color.RED, 7}
LINE = deque([colors.Color.BLUE], maxlen=3)
PAIR = (colors.Color.RED, (colors.Color.BLUE,))
CONSTANT = colors.Color.BLUE
def paint(color=colors.Color.RED): return color
def make(color):
    return lambda: color
held = make(colors.Color.RED)
async def wait(color, told):
    told.append(("got", (await receive())[1] is colors.Color.RED))
    told.append(("local", color is colors.Color.RED))
"""


@pytest.fixture
def shop(project):
    project.load_text("colors", COLORS)
    project.load_text("shop", SHOP)
    return sys.modules["shop"]


def said(report, outcome):
    """Return the words of a report on the enum, with that outcome."""
    return [each.why for each in report.state if each.name == "Color" and each.outcome == outcome]


PLACES = {
    "a key and a value": lambda shop, c: list(shop.KEYS.items()) == [(c.BLUE, 1), ("x", c.RED), (c.RED, 2)],
    "a set": lambda shop, c: {c.RED, 7} == shop.SET,
    "a deque": lambda shop, c: shop.LINE[0] is c.BLUE and shop.LINE.maxlen == 3,
    "tuples in tuples": lambda shop, c: shop.PAIR == (c.RED, (c.BLUE,)),
    "a module's name": lambda shop, c: shop.CONSTANT is c.BLUE,
    "a class's attribute": lambda shop, c: shop.Shop.limit is c.RED and shop.Shop().limit is c.RED,
    "a default": lambda shop, c: shop.paint() is c.RED,
    "a closure": lambda shop, c: shop.held() is c.RED,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_member_is_renewed_wherever_it_is_held(project, shop, place):
    """By its name; a container stays the same object."""
    keys, found = shop.KEYS, shop.SET

    report = project.load_text("colors", MORE)

    assert PLACES[place](shop, sys.modules["colors"].Color)
    assert (shop.KEYS is keys, shop.SET is found) == (True, True)
    assert len(said(report, "migrated")) == 1


def test_a_server_of_another_module_takes_the_branch_that_it_took(project, runtime, shop):
    """Its attributes hold the new members from the commit on."""
    answers = []

    async def main():
        pid = await shop.Shop.start()
        project.load_text("colors", MORE)
        answers.append(await call(pid, "colors"))
        exit(pid, "kill")

    runtime.spawn(main)
    runtime.run_until_idle()

    assert answers == [(True, True)]


def test_a_message_that_waits_is_renewed_and_a_local_is_named(project, runtime, shop):
    """Nobody can change the local of a process from outside on every Python."""
    told = []
    red = sys.modules["colors"].Color.RED
    pid = runtime.spawn(shop.wait, red, told)
    runtime.run_until_idle()
    pid << ("color", red)
    del red

    report = project.load_text("colors", MORE)
    runtime.run_until_idle()

    assert told[0] == ("got", True)
    assert any("a local of shop.wait" in why for why in said(report, "note"))


@pytest.mark.parametrize("kind", ["Enum", "IntFlag"])
def test_an_enum_that_only_its_module_has_is_not_looked_for(project, monkeypatch, kind):
    """Its references say that nobody else has a member, so nothing is said, and memory is not walked through."""
    own = "def paint(color=Color.RED, others=(Color.BLUE,)): return color, lambda: Color.BLUE\n"
    colors = COLORS.replace("enum.Enum", f"enum.{kind}")
    project.load_text("colors", colors + own)
    asked: list[object] = []
    monkeypatch.setattr(gc, "get_referrers", lambda *wanted: asked.append(wanted) or [])

    report = project.load_text("colors", colors + "    GREEN = 4\n" + own)

    assert next(each.name for each in report.superseded) == "Color"
    assert said(report, "migrated") == said(report, "note") == []
    assert asked == []


def test_members_stay_where_the_enum_itself_was_imported(project):
    """That module goes on to compare with the old members until it is loaded itself."""
    project.load_text("colors", COLORS)
    project.load_text(
        "desk", "from colors import Color\nHELD = [Color.RED]\ndef is_red(): return HELD[0] is Color.RED\n"
    )

    report = project.load_text("colors", MORE)

    assert sys.modules["desk"].is_red()
    assert [why for why in said(report, "note") if "desk has imported the enum itself" in why]


def test_members_stay_while_old_code_runs(project, runtime, shop):
    """Old code compares with the old members."""
    text = COLORS + "from midflight import receive\nasync def run():\n    while True:\n        await receive()\n"
    project.load_text("colors", text)
    old = shop.CONSTANT
    pid = runtime.spawn(sys.modules["colors"].run)
    runtime.run_until_idle()

    report = project.load_text("colors", text.replace("    BLUE = 2", "    BLUE = 2\n    GREEN = 3"))

    assert shop.CONSTANT is old
    assert [why for why in said(report, "note") if "run of an old version is running" in why]
    exit(pid, "kill")
    runtime.run_until_idle()


def test_a_member_that_is_gone_is_named(project, shop):
    """It stays what it was."""
    report = project.load_text("colors", MORE.replace("    BLUE = 2\n", ""))

    assert shop.CONSTANT.name == "BLUE"
    assert [why for why in said(report, "note") if why.startswith("BLUE is gone, and still held in")]


def test_a_refused_load_renews_nothing(project, shop):
    """All members are the old ones, and the containers hold what they held."""
    before = (list(shop.KEYS.items()), set(shop.SET), shop.PAIR, shop.Shop.limit)

    with pytest.raises(LoadError):
        project.load_text("colors", MORE + "1 / 0\n")

    assert (list(shop.KEYS.items()), shop.SET, shop.PAIR, shop.Shop.limit) == before
    assert shop.PAIR[0] is sys.modules["colors"].Color.RED
