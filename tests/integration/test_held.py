"""Handlers that a load leaves old, from a terminal: who holds them, what makes them current, and that they ran."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

SHOP = "CARTS = []\n\n\ndef index():\n    return 'one'\n"
APP = "import shop\n\n\nclass Route:\n    handler = None\n\n\nroute = Route()\nroute.handler = shop.index\n"


@pytest.fixture
def shop(project: Path) -> Path:
    """shop.py, with a handler; app.py has a route that holds it."""
    (project / "shop.py").write_text(SHOP)
    (project / "app.py").write_text(APP)
    return project / "shop.py"


@pytest.fixture
def asked(shop: Path, start: Start) -> Iterator[Callable[[str], Any]]:
    """Give a function that evaluates text in a shell of the server, which has imported app."""
    start("serve").port()
    with RemoteServer.attach(shop.parent) as client:
        session = client.call("shell/open")["session"]

        def ask(text: str) -> Any:
            answer = client.call("shell/eval", session, text)
            assert answer["status"] == "ok", answer
            return answer["value"]

        ask("import app, shop")
        yield ask


def test_a_load_names_who_holds_old_functions_and_forward_renews_them(
    asked: Callable[[str], Any], run: Shell, shop: Path
) -> None:
    """The report says where the function is held, and which command makes it the current one."""
    shop.write_text(SHOP.replace("one", "two"))

    output = run("load", str(shop))
    before = asked("app.route.handler()")
    forwarded = run("forward", "shop")

    assert (
        "\nWho holds functions of older versions of shop\n  index, v1: held by app.route, in an object of Route\n"
        in (output)
    )
    assert output.endswith("  To have them call the current version: midflight forward shop\n")
    assert before == "'one'"
    assert forwarded == "shop: index forwarded to v2\n"
    assert asked("app.route.handler()") == "'two'"
    assert run("forward", "shop") == "shop: nobody holds a function of an older version\n"


def test_json_has_the_holders_and_none_of_them_is_looked_for_in_no_time(
    asked: Callable[[str], Any], run: Shell, shop: Path
) -> None:
    """`--holders 0` does not wait: what is not known is null."""
    first = run.json("load", "--holders", "60", str(shop))
    second = run.json("load", "--holders", "0", str(shop), str(shop.parent / "app.py"))

    (holder,) = first["holders"]["holders"]
    assert holder == {"name": "index", "version": 1, "where": "app.route, in an object of Route", "renewed": None}
    assert [each.get("holders", "none") for each in second["reports"] if each["module"] == "shop"] == [None]


def test_a_function_that_cannot_be_forwarded_is_named(asked: Callable[[str], Any], run: Shell, shop: Path) -> None:
    """With the reason; the exit code is 1."""
    shop.write_text(SHOP.replace("index()", "index(who)"))
    run("load", str(shop))

    assert run("forward", "shop", code=1) == (
        "shop: 1 not forwarded: index (its parameters are (), and now (who))\n"
        "  index, v1: its parameters are (), and now (who)\n"
    )
    assert asked("app.route.handler()") == "'one'"


def test_load_forward_renews_at_once(asked: Callable[[str], Any], run: Shell, shop: Path) -> None:
    """The report says so."""
    shop.write_text(SHOP.replace("one", "two"))

    output = run("load", "--forward", str(shop))

    assert "forwarded: index" in output
    assert "Who holds" not in output
    assert asked("app.route.handler()") == "'two'"


def test_the_settings_forward_each_load(shop: Path, start: Start, run: Shell, project: Path) -> None:
    """`forward = true` in [tool.midflight]."""
    (project / "pyproject.toml").write_text("[tool.midflight]\nforward = true\n")
    start("serve").port()
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "import app")
        shop.write_text(SHOP.replace("one", "two"))

        report = run.json("load", str(shop))

        assert (report["forwarded"], "holders" in report) == (["index"], False)
        assert client.call("shell/eval", session, "app.route.handler()")["value"] == "'two'"


def test_what_a_load_left_behind_is_recovered(asked: Callable[[str], Any], run: Shell, shop: Path) -> None:
    """By the name that the report has; a name without such a value is told."""
    asked("shop.CARTS.append('tea')")
    shop.write_text(SHOP.replace("[]", "list()"))

    output = run("load", str(shop))

    assert "CARTS: its statement changed" in output
    assert run("recover", "shop", "CARTS") == "shop.CARTS is ['tea'] again.\n"
    assert asked("shop.CARTS") == "['tea']"
    assert run("recover", "shop", "index", code=3) == ""
    assert "no load has left a value of shop.index behind" in run.error


def test_a_load_of_several_files_makes_a_name_of_one_of_them_new(
    asked: Callable[[str], Any], run: Shell, shop: Path
) -> None:
    """As MODULE:NAME; a name without its module, or of another one, is refused."""
    desk = shop.parent / "desk.py"
    desk.write_text("CARTS = []\n")
    asked("import desk; desk.CARTS.append('pen'); shop.CARTS.append('tea')")

    run("load", "--fresh", "shop:CARTS", str(shop), str(desk))
    kept = asked("shop.CARTS, desk.CARTS")
    run("load", "--fresh", "CARTS", str(shop), str(desk), code=3)
    alone = run.error
    run("load", "--fresh", "shop:BASKETS", str(shop), str(desk), code=3)

    assert kept == "([], ['pen'])"
    assert "'CARTS' is to be new, and says none of the modules of this load (desk, shop)" in alone
    assert asked("shop.CARTS, desk.CARTS, code.versions('desk')[-1].version") == "([], ['pen'], 2)"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nobody can tell on 3.11 whether old code runs")
def test_old_code_that_runs_is_told_to_every_client(asked: Callable[[str], Any], run: Shell, shop: Path) -> None:
    """Once, with the caller."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    with RemoteServer.attach(shop.parent, {"code/stale": told.put}):
        shop.write_text(SHOP.replace("one", "two"))
        run("load", str(shop))

        asked("app.route.handler(), app.route.handler()")

        call = told.get(timeout=DEADLINE_SECONDS)
        assert (call["module"], call["version"], call["name"], call["line"]) == ("shop", 1, "index", 4)
        assert call["text"].startswith("shop version 1 is old, and index:4 of it ran, called by ")
        assert told.empty()
