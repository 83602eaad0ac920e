"""A real Neovim without a screen, driven from outside, with the plugin on its runtime path and a project to work in."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pynvim

from midflight.editors import neovim as plugin
from midflight.epc import ProjectFiles, RemoteServer

DEADLINE_SECONDS = 30.0
PLUGIN = Path(plugin.__file__).parent


class Neovim:
    """One Neovim in `project`. `python` is the Python of its bridge."""

    def __init__(self, project: Path, python: str, *, auto_start: str = "always") -> None:
        self.project = project
        self._folder = tempfile.TemporaryDirectory()  # a path for a socket must be short
        address = f"{self._folder.name}/nvim"
        argv = ["nvim", "-u", "NONE", "-i", "NONE", "-n", "--headless", "--listen", address]
        self._process = subprocess.Popen([*argv, "-c", "call chansend(v:stderr, 'ready')"], stderr=subprocess.PIPE)
        assert self._process.stderr is not None
        assert self._process.stderr.read(5) == b"ready", "Neovim did not start"
        self.nvim = pynvim.attach("socket", path=address)
        self.nvim.command("set columns=500")  # so wide that no message is cut
        self.nvim.command(f"cd {project}")
        self.nvim.vars["midflight_python"] = python
        self.nvim.vars["midflight_auto_start"] = auto_start
        self.nvim.vars["maplocalleader"] = ","
        self.nvim.options["runtimepath"] = f"{PLUGIN},{self.nvim.options['runtimepath']}"
        self.nvim.command("runtime plugin/midflight.lua")
        self.nvim.command("filetype on")

    def close(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End Neovim by a signal, and with it the bridge; again does nothing."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(number)
        self._process.wait(DEADLINE_SECONDS)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._folder.cleanup()
        self.nvim.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del self.nvim  # pynvim leaves its transports to the garbage collector
            gc.collect()

    def edit(self, name: str) -> None:
        """Edit a file of the project."""
        self.nvim.command(f"edit {self.project / name}")

    def replace(self, text: str) -> None:
        """Make `text` the text of the current buffer; it is not saved."""
        self.nvim.current.buffer[:] = text.rstrip("\n").split("\n")

    def wait(self, what: str, condition: str, *args: Any) -> Any:
        """Wait until the Lua expression `condition` is true and return it; `what` says what was waited for."""
        code = f"local a = {{...}} local v vim.wait(a[1], function() v = {condition} return v end, 10) return v or nil"
        found = self.nvim.exec_lua(code, int(DEADLINE_SECONDS * 1000), *args)
        assert found, f"waited for {what}; messages: {self.messages()}; shell: {self.shell()}"
        return found

    def messages(self) -> str:
        """Return the message history."""
        return str(self.nvim.command_output("messages"))

    def wait_message(self, text: str) -> str:
        """Wait until a message with `text` was shown; return all messages."""
        condition = "vim.fn.execute('messages'):find(a[2], 1, true) and vim.fn.execute('messages')"
        return str(self.wait(f"the message {text!r}", condition, text))

    def shell_name(self) -> str:
        """Return the name of the project's shell buffer."""
        return f"midflight-shell://{self.project}"

    def shell(self) -> list[str]:
        """Return the lines of the project's shell; none if it was never opened."""
        for buffer in self.nvim.buffers:
            if buffer.name == self.shell_name():
                return list(buffer[:])
        return []

    def wait_prompt(self, prompt: str) -> list[str]:
        """Wait until `prompt` is the last line of the shell; return the lines above it."""
        condition = (
            "(function() for _, b in ipairs(vim.api.nvim_list_bufs()) do if vim.api.nvim_buf_get_name(b) == a[2] then "
            "local l = vim.api.nvim_buf_get_lines(b, 0, -1, false) if l[#l] == a[3] then return l end end end end)()"
        )
        return list(self.wait(f"the prompt {prompt!r}", condition, self.shell_name(), prompt))[:-1]

    def wait_shell(self, text: str) -> None:
        """Wait until some line of the shell is `text`."""
        condition = (
            "(function() for _, b in ipairs(vim.api.nvim_list_bufs()) do if vim.api.nvim_buf_get_name(b) == a[2] then "
            "return vim.tbl_contains(vim.api.nvim_buf_get_lines(b, 0, -1, false), a[3]) end end end)()"
        )
        self.wait(f"the line {text!r}", condition, self.shell_name(), text)

    def ask(self, text: str, prompt: str) -> list[str]:
        """Evaluate `text` by :MidflightShell; return what the shell shows after it, before the next `prompt`."""
        before = len(self.shell())
        self.nvim.command(f"MidflightShell {text}")
        return self.wait_prompt(prompt)[before:] if before else self.wait_prompt(prompt)

    def diagnostics(self) -> list[dict[str, Any]]:
        """Return the diagnostics of the current buffer."""
        return list(self.nvim.exec_lua("return vim.diagnostic.get(0)"))


class Project:
    """A project folder and the server that may run for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pyproject.toml").write_text("")

    def stop(self) -> None:
        """End the server if one runs."""
        place = ProjectFiles(self.root)
        found = place.running()
        if found is not None:
            with RemoteServer.attach(self.root) as client:
                client.call("server/stop")

    def kill(self) -> None:
        """Kill the server as a crash would."""
        found = ProjectFiles(self.root).running()
        assert found is not None, "no server runs"
        os.kill(found.pid, signal.SIGKILL)
