"""The server of random programs: what it is asked says what its callback does. Imported in a worker only."""

from __future__ import annotations

from typing import Any

from midflight import NOREPLY, Continue, GenServer, Stop, Timeout, call, exit, receive, reply, self_, sleep, spawn

__all__ = ["KINDS", "PlainTeller", "Teller"]


class PlainTeller(GenServer):
    """Counts what it was asked, and answers in all the ways there are."""

    def init(self, say: Any) -> None:
        """Tell by `say` what comes."""
        self.say = say
        self.asked = 0
        self.waiting: list[Any] = []

    def __repr__(self) -> str:
        return f"<Teller {self.asked}>"

    def handle_call(self, request: Any, client: Any) -> Any:
        """Answer as the request says; any other value is the reply."""
        self.asked += 1
        self.say(f"was asked {request} by {client.pid}")
        match request:
            case "count":
                return self.asked
            case "later":
                self.waiting.append(client)
                return NOREPLY
            case "now":
                for each in self.waiting:
                    reply(each, ("late", self.asked))
                return len(self.waiting)
            case "twice":
                reply(client, "first")
                return "second"
            case "spawned":
                spawn(reply, client, "of another")
                return NOREPLY
            case "continue":
                return Continue("on", reply="goes on")
            case "silent":
                return Continue(client)
            case "timeout":
                return Timeout(0.25, reply="soon")
            case "async":
                return self.slowly(request)
            case "tail":
                return self.tail(request)
            case "stop":
                raise Stop("asked for", reply="stops")
            case "fail":
                raise ArithmeticError("of a server")
            case "itself":
                self_() << "from itself"
                return call(self_(), "count")
            case "die":
                exit(self_(), "kill")
                return "dead"
        return request

    async def slowly(self, request: Any) -> Any:
        """Wait within a callback."""
        await sleep(0.25)
        found = await receive(int, timeout=0, default="nothing")
        return request, found

    async def tail(self, request: Any) -> Any:
        """Answer by a tail call."""
        return self.slowly(request)

    def handle_cast(self, message: Any) -> Any:
        """As a call, without an answer."""
        self.asked += 1
        self.say(f"was cast {message}")
        if message == "fail":
            raise ArithmeticError("of a cast")
        if message == "stop":
            raise Stop("cast")
        return Timeout(0.5) if message == "timeout" else None

    def handle_continue(self, value: Any) -> None:
        """Answer a call that has not been, or note that it is gone on."""
        self.say(f"goes on with {type(value).__name__}")
        if value != "on":
            reply(value, "after a while")

    def handle_info(self, message: Any) -> None:
        """Note the message."""
        self.say(f"got {type(message).__name__} {message if isinstance(message, str | int) else ''}")

    def terminate(self, reason: object) -> None:
        """Note the end."""
        self.say(f"ends by {reason!r}")


class Teller(PlainTeller):
    """The same with a callback that is async."""

    async def handle_call(self, request: Any, client: Any) -> Any:
        """Answer as the other does."""
        return super().handle_call(request, client)


KINDS = {"plain": PlainTeller, "async": Teller}
