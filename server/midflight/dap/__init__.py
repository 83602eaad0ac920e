"""debugpy in a running server: sessions of the Debug Adapter Protocol, with the files and lines that people edit.

debugpy knows the text of each version by a file of its own (`counter@3.py`). Here a breakpoint of the file that people
edit becomes one in every version that runs and has that line, and a stop in the current version is shown in that file.
"""

from midflight.dap.framing import Framer, framed
from midflight.dap.hold import Stop
from midflight.dap.session import DebugSession, debugs, stop_in

__all__ = ["DebugSession", "Framer", "Stop", "debugs", "framed", "stop_in"]
