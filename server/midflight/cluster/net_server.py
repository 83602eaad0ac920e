"""The process of each node that starts processes and calls functions for other nodes. OTP: net_kernel, erpc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from midflight.kernel import Client, Down, Pid, Scheduler, current_scheduler, ends, is_word
from midflight.otp import NOREPLY, GenServer

if TYPE_CHECKING:
    from midflight.cluster.global_names import GlobalNames

__all__ = ["NET", "NetServer"]

NET = "midflight.net"
"""The name it is registered by, on each node."""


class NetServer(GenServer):
    """Starts processes for other nodes. Requests: ("spawn", function, args, pid to link to or None) answers the pid,
    ("apply", function, args) what the function returned in a process of its own.

    `names` are the global names of its node, which are told when a process that has one ends."""

    def __init__(self, names: GlobalNames) -> None:
        self.names = names

    def handle_info(self, message: Any) -> None:
        """Take in the end of a process with a global name; else nothing is sent to this process, and it is dropped."""
        if type(message) is Down and type(message.pid) is Pid:
            self.names.ended(message.pid)

    def handle_call(self, request: Any, client: Client) -> Any:
        """Do what is asked for; what keeps it from being done is the reason of the caller's CallError."""
        scheduler = current_scheduler()
        match request:
            case ("spawn", function, args, linked):
                try:
                    process = scheduler.spawn(function, args)
                    if linked is not None:
                        ends.link(scheduler, process, linked)
                except Exception as error:
                    client.fail(error)
                    return NOREPLY
                return process.pid
            case ("apply", function, args):
                self._apply(scheduler, function, args, client)
                return NOREPLY
        client.fail(("unknown_request", NET))
        return NOREPLY

    def _apply(self, scheduler: Scheduler, function: Any, args: tuple[Any, ...], client: Client) -> None:
        def tell(reason: object, value: Any) -> None:
            if is_word(reason, "normal"):
                client.answer(value)
            else:
                client.fail(reason)

        try:
            process = scheduler.spawn(function, args)
        except Exception as error:
            client.fail(error)
        else:
            scheduler.on_result[process] = tell
