"""Handlers and state that a load leaves old, from Neovim: who holds them, and the commands that renew them."""

from __future__ import annotations

import pytest

from helpers.neovim import Neovim, Project

SHOP = "CARTS = []\n\n\ndef index():\n    return 1\n"
APP = "import shop\n\n\nclass Route:\n    handler = None\n\n\nroute = Route()\nroute.handler = shop.index\n"


@pytest.fixture
def shop(neovim: Neovim, project: Project) -> Neovim:
    """A Neovim that edits shop.py, which is loaded; app.py has a route that holds its handler."""
    (project.root / "app.py").write_text(APP)
    (project.root / "shop.py").write_text(SHOP)
    neovim.edit("shop.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("shop v1 loaded (")
    neovim.ask("import app, shop; shop.CARTS.append('tea')", "2> ")
    return neovim


def edit(neovim: Neovim, text: str) -> None:
    """Load another text of shop.py, from its window."""
    neovim.edit("shop.py")
    neovim.replace(text)
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("shop v2 loaded")


def test_the_report_says_who_holds_old_functions_and_forward_renews_them(shop: Neovim) -> None:
    """When the search is done, a message says where to read it."""
    edit(shop, SHOP.replace("return 1", "return 2"))

    shop.wait_message("Midflight: :MidflightReport says who holds functions of older versions of shop")
    report = str(shop.nvim.current.buffer.vars["midflight_report"])
    shop.nvim.command("MidflightForward")
    shop.wait_message("shop: index forwarded to v2")

    assert report.endswith(
        "Who holds functions of older versions of shop\n"
        "  index, v1: held by app.route, in an object of Route\n"
        "  :MidflightForward shop makes them the current ones.\n"
    )
    assert shop.ask("app.route.handler()", "3> ") == ["2"]


def test_a_value_that_was_left_behind_is_brought_back(shop: Neovim) -> None:
    """By its name; a name without such a value is an error that says so."""
    edit(shop, SHOP.replace("[]", "list()"))

    shop.nvim.command("MidflightRecover CARTS")
    shop.wait_message("Midflight: shop.CARTS is ['tea'] again")
    shop.nvim.command("MidflightRecover index")
    shop.wait_message("no load has left a value of shop.index behind")

    assert shop.ask("shop.CARTS", "3> ") == ["['tea']"]


def test_the_settings_forward_each_load(neovim: Neovim, project: Project) -> None:
    """`forward = true` in [tool.midflight]: nothing is left to look for."""
    (project.root / "pyproject.toml").write_text("[tool.midflight]\nforward = true\n")
    (project.root / "app.py").write_text(APP)
    (project.root / "shop.py").write_text(SHOP)
    neovim.edit("shop.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("shop v1 loaded (")
    neovim.ask("import app", "2> ")

    edit(neovim, SHOP.replace("return 1", "return 2"))

    assert "  forwarded: index\n" in str(neovim.nvim.current.buffer.vars["midflight_report"])
    assert neovim.ask("app.route.handler()", "3> ") == ["2"]


def test_old_code_that_runs_is_told(shop: Neovim) -> None:
    """In a message, when the server says so."""
    call = "code.StaleCall('shop', 1, 'index', 5, 'app.py:9 in go')"
    tell = f"from midflight.code.held import stale_calls; [t({call}) for t in list(stale_calls._listeners)] and None"

    shop.ask(tell, "3> ")

    shop.wait_message("Midflight: shop version 1 is old, and index:5 of it ran, called by app.py:9 in go")


def test_a_buffer_that_was_not_loaded_has_nothing_to_forward(neovim: Neovim) -> None:
    """The message says what to do."""
    neovim.edit("counter.py")

    neovim.nvim.command("MidflightForward")

    neovim.wait_message("this buffer was not loaded; load it, or name a module")
