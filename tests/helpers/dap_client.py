"""A small front end for the Debug Adapter Protocol: requests with their answers, events in order, with a deadline."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, environment

Message = dict[str, Any]


class Dap:
    """A session at the other end of `read` and `write`. `over` closes what they belong to."""

    def __init__(self, stream: Any, write: Callable[[bytes], object], over: Callable[[], object]) -> None:
        self._stream, self._write, self._over = stream, write, over
        self._seq = 0
        self.events: list[Message] = []
        self._messages: queue.Queue[Message | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @classmethod
    def at_port(cls, port: int) -> Dap:
        """Connect to a port of 127.0.0.1."""
        connection = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS)
        connection.settimeout(None)

        def over() -> None:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()

        return cls(connection.makefile("rb"), connection.sendall, over)

    @classmethod
    def of_command(cls, project: Path, runtime: Path, *options: str) -> Dap:
        """Start `midflight debug` and speak to it, as an editor does."""
        process = subprocess.Popen(
            [*MIDFLIGHT, "debug", *options],
            cwd=project,
            env=environment(runtime),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stdin = process.stdin

        def write(data: bytes) -> None:
            stdin.write(data)
            stdin.flush()

        def over() -> None:
            stdin.close()
            assert process.wait(DEADLINE_SECONDS) is not None

        return cls(process.stdout, write, over)

    def _read(self) -> None:
        with self._stream as stream:
            try:
                while header := stream.readline():
                    length = int(header.split(b":")[1])
                    assert stream.readline() == b"\r\n"
                    self._messages.put(json.loads(stream.read(length)))
            except (OSError, ValueError):
                pass
        self._messages.put(None)

    def _next(self, waits_for: str) -> Message:
        try:
            message = self._messages.get(timeout=DEADLINE_SECONDS)
        except queue.Empty:
            message = None
        assert message is not None, f"no {waits_for} came; heard were {self.events}"
        return message

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request; return its number."""
        self._seq += 1
        body = json.dumps({"seq": self._seq, "type": "request", "command": command, "arguments": arguments}).encode()
        self._write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._seq

    def ask(self, command: str, **arguments: Any) -> Message:
        """Send a request; return the whole answer. Events that come meanwhile are kept."""
        number = self.send(command, **arguments)
        while True:
            message = self._next(f"answer to {command}")
            if message["type"] == "event":
                self.events.append(message)
            elif message["request_seq"] == number:
                return message

    def body(self, command: str, **arguments: Any) -> Message:
        """Return the body of the answer to a request, which must succeed."""
        answer = self.ask(command, **arguments)
        assert answer["success"], answer
        return dict(answer.get("body") or {})

    def event(self, name: str) -> Message:
        """Return the body of the next event `name`, one that has come before among them; others are dropped."""
        while True:
            message = self.events.pop(0) if self.events else self._next(f"event {name}")
            if message["type"] == "event" and message["event"] == name:
                return dict(message.get("body") or {})

    def begin(self, breakpoints: dict[str, Sequence[int]], **options: Any) -> dict[str, list[Message]]:
        """Attach with `breakpoints`, lines by file; return what was said of them."""
        self.body("initialize", adapterID="test", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        self.send("attach", **options)
        self.event("initialized")
        found = {path: self.set(path, lines) for path, lines in breakpoints.items()}
        self.body("configurationDone")
        return found

    def set(self, path: str, lines: Sequence[int]) -> list[Message]:
        """Set the breakpoints of a file; return what is said of each."""
        asked = [{"line": line} for line in lines]
        return list(self.body("setBreakpoints", source={"path": path}, breakpoints=asked)["breakpoints"])

    def stopped(self) -> tuple[int, Message]:
        """Wait for a stop; return the thread and its innermost frame."""
        stop = self.event("stopped")
        frames = self.body("stackTrace", threadId=stop["threadId"])["stackFrames"]
        return stop["threadId"], frames[0]

    def value(self, frame: Message, expression: str) -> str:
        """Evaluate in a frame."""
        return str(self.body("evaluate", frameId=frame["id"], expression=expression, context="repl")["result"])

    def close(self) -> None:
        """Hang up."""
        try:
            self._over()
        except OSError:
            pass
        self._reader.join(DEADLINE_SECONDS)
