"""Neovim's front end: a bridge on standard input and output, and the plugin that starts it.

Lua (plugin, lua) -> rpcnotify -> bridge.py -> project.py -> EPC; and back: EPC -> project.py -> bridge.py ->
`require("midflight").receive(event, values)`, which shows it. Nothing is decided in Lua.
"""

from midflight.editors.neovim.bridge import Bridge
from midflight.editors.neovim.project import Project

__all__ = ["Bridge", "Project"]
