"""Names in the running system: documentation, definitions, uses, completion, and values behind their lines."""

from __future__ import annotations

import pytest

from helpers.neovim import Neovim, Project

SHOP = """\
RATES = {"std": 25}


def vat(price, kind="std"):
    \"\"\"Return the tax on a price.\"\"\"
    return price * RATES[kind] // 100


def total(price):
    return price + vat(price)
"""


@pytest.fixture
def shop(neovim: Neovim, project: Project) -> Neovim:
    """A Neovim in shop.py, which is loaded."""
    (project.root / "shop.py").write_text(SHOP)
    neovim.edit("shop.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("shop v1 loaded")
    return neovim


def virtual_text(neovim: Neovim) -> str:
    """Return what stands behind a line, waited for."""
    marks = "vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('midflight-values'), 0, -1, {details=true})"
    (mark,) = neovim.wait("a value behind a line", f"#{marks} > 0 and {marks}")
    return f"{mark[1] + 1}: {mark[3]['virt_text'][0][0]}"


def float_lines(neovim: Neovim) -> list[str]:
    """Return the lines of the window that floats, waited for."""
    return list(
        neovim.wait(
            "a floating window",
            "(function() for _, w in ipairs(vim.api.nvim_list_wins()) do "
            "if vim.api.nvim_win_get_config(w).relative ~= '' then "
            "return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(w), 0, -1, false) end end end)()",
        )
    )


def test_a_line_is_evaluated_with_the_names_of_the_module(shop: Neovim) -> None:
    """The value stands behind it till the text changes."""
    shop.replace(SHOP + "\nvat(200)\n")
    shop.nvim.command("normal! G")

    shop.nvim.command("MidflightEval")

    assert virtual_text(shop) == "12: => 50"
    shop.nvim.current.line = "vat(300)"
    assert shop.nvim.exec_lua("return vim.fn.getline('.')") == "vat(300)"
    shop.nvim.command("MidflightEval")
    assert virtual_text(shop) == "12: => 75"


def test_a_range_is_evaluated_without_its_indentation(shop: Neovim) -> None:
    """Names that it binds are the module's from then on."""
    shop.replace(SHOP + "\nif 0:\n    a = vat(400)\n    a + 1\n")

    shop.nvim.command("13,14MidflightEval")

    assert virtual_text(shop) == "14: => 101"


def test_an_error_stands_behind_the_line_too(shop: Neovim) -> None:
    """Its last line."""
    shop.nvim.command("MidflightEval vat('x', 'none')")

    assert virtual_text(shop).endswith("=> KeyError: 'none'")


def test_evaluation_before_a_load_says_what_to_do(neovim: Neovim, project: Project) -> None:
    """The module's names are not known then."""
    (project.root / "shop.py").write_text(SHOP)
    neovim.edit("shop.py")

    neovim.nvim.command("MidflightEval vat(1)")

    neovim.wait_message("is not loaded")


def test_the_documentation_of_the_name_at_the_cursor_floats(shop: Neovim) -> None:
    """With signature, module and version."""
    shop.nvim.command("call search('vat(price)$')")

    shop.nvim.command("MidflightDoc")

    lines = float_lines(shop)
    assert lines[0] == "vat: function, of shop version 1"
    assert "vat(price, kind='std')" in lines[1]
    assert "Return the tax on a price." in lines


def test_go_to_the_definition_and_back(shop: Neovim, project: Project) -> None:
    """In another file, by the jump list."""
    (project.root / "desk.py").write_text("import shop\n\n\ndef bill():\n    return shop.total(1)\n")
    shop.edit("desk.py")
    shop.nvim.command("MidflightLoad")
    shop.wait_message("desk v1 loaded")
    shop.nvim.command("call search('total')")

    shop.nvim.command("MidflightGoto")

    shop.wait("the jump", "vim.fn.expand('%:t') == 'shop.py' and vim.fn.line('.') == 9")
    shop.nvim.command('execute "normal! \\<C-o>"')
    assert str(shop.nvim.current.buffer.name).endswith("desk.py")


def test_uses_are_in_the_quickfix_list(shop: Neovim) -> None:
    """With their lines."""
    shop.nvim.command("MidflightReferences vat")

    found = shop.wait("the quickfix list", "#vim.fn.getqflist() > 0 and vim.fn.getqflist()")
    assert [(each["lnum"], each["text"]) for each in found] == [(10, "return price + vat(price)")]


def test_an_unknown_name_is_said_to_be_unknown(shop: Neovim) -> None:
    """And where to look."""
    shop.nvim.command("MidflightDoc nothing_of_the_kind")

    shop.wait_message("nothing_of_the_kind is not known in the running system")


def test_names_are_completed_from_live_objects(shop: Neovim) -> None:
    """By omnifunc, which a Python buffer without another one has."""
    assert shop.nvim.current.buffer.options["omnifunc"] == "v:lua.require'midflight.look'.omnifunc"
    shop.replace(SHOP + "\nRATES.po\n")
    shop.nvim.command("normal! G")

    shop.nvim.feedkeys(shop.nvim.replace_termcodes("A<C-x><C-o><C-e><Esc>", True, True, True), "x")

    found = shop.nvim.exec_lua("return require('midflight.look').found")
    assert [each["word"] for each in found["items"]] == ["pop", "popitem"]
    assert found["written"] == 2


def test_the_definition_at_the_cursor_is_loaded_alone(shop: Neovim, project: Project) -> None:
    """What else was edited in the buffer is not."""
    shop.replace(SHOP.replace("price + vat", "2 * price + vat").replace("// 100", "// 50"))
    shop.nvim.command("call search('2 . price')")

    shop.nvim.command("MidflightDefine")

    shop.wait_message("shop v2 loaded: total changed")
    shop.nvim.command("MidflightEval total(100)")
    assert virtual_text(shop).endswith("=> 225")


def test_the_status_line_names_the_version(shop: Neovim) -> None:
    """And whether the text has changed since."""
    assert shop.nvim.exec_lua("return require('midflight').statusline()") == "shop v1"

    shop.nvim.current.line = "RATES = {}"

    assert shop.nvim.exec_lua("return require('midflight').statusline()") == "shop v1+"
