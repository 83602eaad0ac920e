"""A program whose modules Python imports: their first edit, saved and loaded from a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

APP = "import shop\n\n\nasync def start():\n    pass\n"

SHOP = """\
from enum import Enum


class Colour(Enum):
    RED = 1


class Price:
    def vat(self):
        return 19


FIRST = Colour.RED


def vat():
    return 19
"""


@pytest.mark.parametrize("writes_byte_code", [False, True])
def test_the_first_edit_of_an_imported_module_is_loaded_and_told(
    start: Start, project: Path, run: Shell, monkeypatch: pytest.MonkeyPatch, writes_byte_code: bool
) -> None:
    """A method edited in a file that `start` imports: the report names it, and what did not change stays itself."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "" if writes_byte_code else "1")
    (project / "app.py").write_text(APP)
    (project / "shop.py").write_text(SHOP)
    (project / "pyproject.toml").write_text('[tool.midflight]\nstart = "app:start"\n')
    server = start("serve")
    server.port()
    server.line_with("app:start runs as")
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "import shop; red = shop.Colour.RED")
        (project / "shop.py").write_text(SHOP.replace("return 19", "return 25", 1))

        report = run.json("load", "--modified")["reports"][0]
        value = client.call("shell/eval", session, "shop.Price().vat(), red is shop.Colour.RED, shop.vat()")["value"]
        back = run("rollback", "shop", "1")

    assert (report["module"], report["version"], report["changed"]) == ("shop", 2, ["Price.vat"])
    assert report["kept"] == ["Colour"]
    assert value == "(25, True, 19)"
    assert back.startswith("shop v3 loaded")


def test_an_imported_module_has_a_version_and_a_name_in_the_shell(start: Start, project: Path, run: Shell) -> None:
    """Without a load: `versions` shows version 1, the imported text, and the shell knows the module by name."""
    (project / "app.py").write_text(APP)
    (project / "shop.py").write_text(SHOP)
    (project / "pyproject.toml").write_text('[tool.midflight]\nstart = "app:start"\n')
    server = start("serve")
    server.port()
    server.line_with("app:start runs as")
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        named = client.call("shell/eval", session, "shop.vat()")["value"]
        completions = client.call("look/complete", session, "sho")
        (project / "shop.py").write_text(SHOP.replace("return 19", "return 25"))

        rows = run.json("versions", "shop")
        text = client.call("code/source", "shop", 1)

    assert named == "19"
    assert "shop" in str(completions)
    assert [(row["version"], row["current"], row["imported"]) for row in rows] == [(1, True, True)]
    assert text == SHOP
    assert "never loaded" in run("versions", "nothing_at_all", code=4) + run.error


def test_a_folder_is_loaded_and_a_file_that_is_gone_is_told(start: Start, project: Path, run: Shell) -> None:
    """`midflight load pkg/` loads what runs of it; `load --modified` names the module whose file was renamed."""
    (project / "pkg").mkdir()
    (project / "pkg" / "__init__.py").write_text("from .core import f\n")
    (project / "pkg" / "core.py").write_text("def f():\n    return 1\n")
    start("serve").port()
    run("load", f"{project}/pkg/")
    (project / "pkg" / "core.py").write_text("def f():\n    return 2\n")

    reports = run.json("load", f"{project}/pkg")["reports"]
    (project / "pkg" / "core.py").rename(project / "pkg" / "heart.py")
    told = run("load", "--modified")

    assert [report["module"] for report in reports] == ["pkg", "pkg.core"]
    assert f"pkg.core: its file {project}/pkg/core.py is gone, and {project}/pkg/heart.py has its text" in told
