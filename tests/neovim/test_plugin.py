"""What the plugin sets up, before any of it is used."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.neovim import Neovim
from midflight.editors.neovim.tables import process_table, version_table


def bridge(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the bridge's command with `arguments`."""
    command = [sys.executable, "-m", "midflight.editors.neovim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_rtp_is_the_folder_of_the_plugin() -> None:
    """For 'runtimepath'."""
    folder = Path(bridge("--rtp").stdout.strip())

    for file in ("plugin/midflight.lua", "lua/midflight/init.lua", "doc/midflight.txt"):
        assert (folder / file).is_file()


def test_help_is_found_without_a_step_by_the_user(neovim: Neovim, tmp_path: Path) -> None:
    """The tags are shipped, as `:helptags` on the folder doc makes them of the text."""
    folder = Path(bridge("--rtp").stdout.strip()) / "doc"
    shutil.copy(folder / "midflight.txt", tmp_path)

    neovim.nvim.command("help :MidflightEval")
    neovim.nvim.command(f"helptags {tmp_path}")

    assert "*:MidflightEval*" in neovim.nvim.current.line
    assert (tmp_path / "tags").read_text() == (folder / "tags").read_text()


def test_every_command_is_in_the_help(neovim: Neovim) -> None:
    """And nothing else is."""
    text = (Path(bridge("--rtp").stdout.strip()) / "doc" / "midflight.txt").read_text()
    commands = set(neovim.nvim.exec_lua("return vim.tbl_keys(vim.api.nvim_get_commands({}))"))

    assert set(re.findall(r"\*:(\w+)\*", text)) == {each for each in commands if each.startswith("Midflight")}


def test_an_unknown_option_is_refused() -> None:
    """Instead of waiting for a Neovim that is not there."""
    done = bridge("--port")

    assert (done.returncode, done.stdout) == (2, "")
    assert "--rtp is the only option" in done.stderr


def test_python_buffers_get_the_mapping(neovim: Neovim) -> None:
    """Others do not."""
    neovim.edit("counter.py")
    assert "midflight-load" in neovim.nvim.funcs.maparg(",ck", "n")

    neovim.edit("notes.txt")
    assert neovim.nvim.funcs.maparg(",ck", "n") == ""


def test_the_mapping_can_be_left_out(neovim: Neovim) -> None:
    """g:midflight_mappings; the <Plug> one is there for another key."""
    neovim.nvim.vars["midflight_mappings"] = 0

    neovim.edit("counter.py")

    assert neovim.nvim.funcs.maparg(",ck", "n") == ""
    assert neovim.nvim.funcs.maparg("<Plug>(midflight-load)", "n") == "<Cmd>MidflightLoad<CR>"


def test_nothing_runs_before_it_is_used(neovim: Neovim) -> None:
    """Opening a Python file starts no process."""
    neovim.edit("counter.py")

    assert [each for each in neovim.nvim.api.list_chans() if each["stream"] == "job"] == []


def test_the_health_check_finds_the_bridge(neovim: Neovim) -> None:
    """:checkhealth midflight."""
    neovim.nvim.command("checkhealth midflight")

    text = "\n".join(neovim.nvim.current.buffer[:])
    assert re.search(rf"OK:? the bridge runs with {re.escape(sys.executable)}", text)  # Neovim 0.12 has no colon
    assert "midflight doctor says" in text


def test_the_help_has_its_tags(neovim: Neovim, tmp_path: Path) -> None:
    """Each command and variable can be looked up; `:helptags` finds no fault."""
    source = Path(bridge("--rtp").stdout.strip()) / "doc" / "midflight.txt"
    (tmp_path / "midflight.txt").write_text(source.read_text())

    neovim.nvim.command(f"helptags {tmp_path}")

    tags = (tmp_path / "tags").read_text()
    commands = neovim.nvim.exec_lua("return vim.tbl_keys(vim.api.nvim_get_commands({}))")
    assert [each for each in commands if each.startswith("Midflight") and f":{each}\t" not in tags] == []
    assert "g:midflight_auto_start\t" in tags


def test_the_tables_align() -> None:
    """One line each, a missing name and version left empty."""
    process = {"pid": "<0.9.0>", "name": None, "module": "counter", "version": None, "function": "loop", "line": 9}
    rows = process_table([{**process, "status": "waiting", "messages": 0}]).splitlines()
    assert rows[1].index("counter") == rows[0].index("Module")

    versions = version_table("counter", [{"version": 1, "vsn": "a", "current": False, "processes": []}])
    assert versions.splitlines()[1].split() == ["v1", "old", "a", "0"]
