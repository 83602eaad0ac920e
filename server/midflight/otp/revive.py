"""A server that goes on with the state that another one had: its loop, without an init. For a restart after a crash."""

from __future__ import annotations

from typing import Any

from midflight.otp.serving import Serving

__all__ = ["Revived"]


class Revived(Serving):
    """The process function of a server that has its state already: `server`, an object of the newest class.

    It has no parent, and nobody waits for it to be started. OTP: gen_server:enter_loop/3.
    """

    def __init__(self, server: Any) -> None:
        cls = type(server)
        self.start = None
        self.parent = None
        self.server = server
        self.__module__, self.__qualname__ = cls.__module__, f"{cls.__qualname__}, restarted"

    async def __call__(self) -> Any:
        """Go on as the loop."""
        return self.serve()
