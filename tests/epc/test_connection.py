"""An admitted connection: order, overtaking, one answer a request, one writer, limits."""

from __future__ import annotations

import inspect
import logging
import re
import threading
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS, frame
from midflight.epc.sexp import write
from midflight.epc.wire import PAYLOAD_LIMIT
from midflight.errors import MidflightError


def test_requests_run_in_the_order_they_came(bench: Any) -> None:
    """A hundred requests sent at once are called, and answered, one after another."""
    called: list[int] = []
    bench.functions["note"] = called.append
    with bench.peer() as peer:
        peer.send(b"".join(frame(f"(call {n} note ({n}))") for n in range(1, 101)))

        answers = [peer.read() for _ in range(100)]

    assert called == list(range(1, 101))
    assert answers == [f"(return {n} nil)" for n in range(1, 101)]


def test_ping_overtakes_a_request_that_runs(bench: Any) -> None:
    """While one request runs and another waits, ping is answered at once."""
    with bench.peer() as peer:
        peer.send(frame("(call 1 wait nil)") + frame('(call 2 echo ("later"))'))
        assert bench.entered.wait(DEADLINE_SECONDS)

        assert peer.ask("(call 3 ping nil)") == '(return 3 "pong")'
        bench.gate.set()
        assert peer.read() == '(return 1 "waited")'
        assert peer.read() == '(return 2 "later")'


def test_a_busy_connection_holds_up_no_other(bench: Any) -> None:
    """Each connection has its own worker."""
    with bench.peer() as busy, bench.peer() as other:
        busy.send(frame("(call 1 wait nil)"))
        assert bench.entered.wait(DEADLINE_SECONDS)

        assert other.ask('(call 1 echo ("now"))') == '(return 1 "now")'


def test_eight_threads_push_whole_frames(bench: Any) -> None:
    """Large pushes from many threads arrive unbroken, each thread's in order."""
    threads, pushes, size = 8, 25, 30_000
    with bench.peer() as peer:
        (connection,) = bench.server.peers()

        def push(thread: int) -> None:
            for number in range(pushes):
                connection.push("shell/output", [thread, number, "x" * size], lambda _answer: None)

        pushers = [threading.Thread(target=push, args=(thread,)) for thread in range(threads)]
        for pusher in pushers:
            pusher.start()
        frames = [peer.read() for _ in range(threads * pushes)]
        for pusher in pushers:
            pusher.join()

    seen: dict[int, list[int]] = {thread: [] for thread in range(threads)}
    for text in frames:
        match = re.fullmatch(r'\(call \d+ shell/output \((\d) (\d+) "(x+)"\)\)', text)
        assert match is not None, text[:80]
        assert len(match[3]) == size
        seen[int(match[1])].append(int(match[2]))
    assert seen == {thread: list(range(pushes)) for thread in range(threads)}


class Refused(MidflightError):
    """An error of ours, whose text is meant for people."""


def fail_with(error: BaseException) -> object:
    """Raise `error`."""
    raise error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Refused("counter not loaded; version 3 stays; fix it"), "counter not loaded; version 3 stays; fix it"),
        (ValueError("boom λ"), "ValueError: boom λ"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("deep"), "RecursionError: deep"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_method_that_raises_is_answered(bench: Any, error: BaseException, text: str) -> None:
    """Whatever a method raises is one return-error, and the connection goes on."""
    bench.functions["fail"] = lambda: fail_with(error)
    with bench.peer() as peer:
        assert peer.ask("(call 1 fail nil)") == f'(return-error 1 "{text}")'
        assert peer.ask('(call 2 echo ("after"))') == '(return 2 "after")'


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b'(call 5 echo ("open', "5"),
        (b"(call 5 echo (" + b"(" * 50_000, "5"),
        (b'(call 5 echo ("\xff"))', "5"),
        (b"(call 5 echo)", "5"),
        (b"(call 5 echo (1) (2))", "5"),
        (b"(call 5 nowhere nil)", "5"),
        (b"(call 5 echo nil)", "5"),
        (b"(call 5 echo (1 2))", "5"),
        (b'(call "five" echo ("open', '"five"'),
        (b"(call five echo)", "five"),
        (b"(methods 5 extra (", "5"),
        (b"(call 5 ping (", "5"),
    ],
)
def test_request_that_cannot_be_carried_out_is_answered_by_its_number(bench: Any, payload: bytes, number: str) -> None:
    """Unparsable arguments, unknown methods and wrong arity get exactly one return-error."""
    with bench.peer() as peer:
        assert peer.ask(payload).startswith(f'(return-error {number} "')
        assert peer.ask("(call 6 ping nil)") == '(return 6 "pong")'


@pytest.mark.parametrize("payload", [b"", b"()", b"(", b"(elsewhere 1)", b"(call (1) ping nil)", b"17"])
def test_message_without_a_number_is_an_epc_error(bench: Any, payload: bytes) -> None:
    """What cannot be attributed is answered without a number, once, and the connection goes on."""
    with bench.peer() as peer:
        assert peer.ask(payload).startswith("(epc-error ")
        assert peer.ask("(call 6 ping nil)") == '(return 6 "pong")'


@pytest.mark.parametrize("payload", ["(return 99 t)", '(return-error 99 "no")', '(epc-error 99 "no")', "(return 99"])
def test_answer_to_no_call_is_not_answered(bench: Any, payload: str) -> None:
    """Two ends that answered each other's answers would never stop."""
    with bench.peer() as peer:
        peer.send(frame(payload))
        assert peer.ask("(call 6 ping nil)") == '(return 6 "pong")'


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ("x" * (PAYLOAD_LIMIT + 1), "at most 8388608 go into one frame"),
        (object(), "a object has no form on the wire"),
        ({1: 2}, "must be a string"),
    ],
    ids=["too large", "no form", "no key"],
)
def test_result_that_cannot_be_sent_is_an_error(bench: Any, result: object, reason: str) -> None:
    """The caller hears that it was carried out, and why there is no result."""
    bench.functions["get"] = lambda: result
    with bench.peer() as peer:
        answer = peer.ask("(call 1 get nil)")
        assert answer.startswith('(return-error 1 "The request was carried out')
        assert reason in answer
        assert peer.ask("(call 2 ping nil)") == '(return 2 "pong")'


def test_result_near_the_limit_is_sent(bench: Any) -> None:
    """The limit is 8 MiB of payload, not less."""
    text = "x" * (PAYLOAD_LIMIT - len('(return 1 "")') - 1)
    bench.functions["get"] = lambda: text
    with bench.peer() as peer:
        assert peer.ask("(call 1 get nil)") == f'(return 1 "{text}")'


def test_oversized_request_is_answered_and_skipped(bench: Any) -> None:
    """A request over 8 MiB gets its return-error; the one behind it is served."""
    with bench.peer() as peer:
        peer.send(frame(f'(call 1 echo ("{"x" * PAYLOAD_LIMIT}"))') + frame('(call 2 echo ("next"))'))

        assert re.match(r'\(return-error 1 ".*bytes are too many', peer.read())
        assert peer.read() == '(return 2 "next")'


@pytest.mark.parametrize("header", [b"00000G", b"-00001", b"GET / "])
def test_stream_that_is_no_frame_is_closed(bench: Any, header: bytes) -> None:
    """After a bad header nobody knows where the next frame begins: it is told, then closed."""
    with bench.peer() as peer:
        peer.send(header)

        assert peer.read().startswith('(epc-error nil "a frame began with')
        assert peer.read_to_end() == b""


def test_too_many_waiting_requests_are_refused(bench: Any) -> None:
    """Beyond a thousand waiting, a request is refused at once instead of stored."""
    with bench.peer() as peer:
        peer.send(frame("(call 0 wait nil)"))
        assert bench.entered.wait(DEADLINE_SECONDS)
        peer.send(b"".join(frame(f"(call {n} echo ({n}))") for n in range(1, 1002)))

        assert [peer.read()[:18] for _ in range(2)] == ["(return-error 1000", "(return-error 1001"]
        bench.gate.set()
        assert peer.read() == '(return 0 "waited")'
        assert peer.read() == "(return 1 1)"


def test_methods_are_listed(bench: Any) -> None:
    """The EPC message `methods` works as with every EPC server."""
    with bench.peer() as peer:
        assert peer.ask("(methods 4)").startswith('(return 4 ((echo nil "")')


def test_a_list_of_methods_is_written_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of eleven bytes costs no more to answer than to send, however often it comes."""
    written: list[object] = []
    monkeypatch.setattr("midflight.epc.connection.write", lambda value: written.append(value) or write(value))
    with bench.peer() as peer:
        first, second = peer.ask("(methods 4)"), peer.ask("(methods 5)")

    assert len(written) == 1
    assert second == first.replace("(return 4", "(return 5")


def test_a_connection_reads_no_signature_of_the_methods_that_it_does_not_call(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more than a hundred, and each connection has a table of its own; to connect costs the others little."""
    with node.connect() as client:
        client.call("ping")
    read: list[object] = []
    signature = inspect.signature
    monkeypatch.setattr("inspect.signature", lambda function: read.append(function) or signature(function))

    with node.connect() as client:
        client.call("ping")

    assert read == []


def test_log_that_raises_leaves_the_connection_served(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The request that failed is answered, the next one too; what was to be logged is on the standard error."""

    class Raising(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise SystemExit(record.name)

    bench.functions["fail"] = lambda: fail_with(ValueError("ours"))
    handler = Raising()
    logging.getLogger("midflight.epc").addHandler(handler)
    try:
        with bench.peer() as peer:
            first, second = peer.ask("(call 1 fail nil)"), peer.ask("(call 2 fail nil)")
    finally:
        logging.getLogger("midflight.epc").removeHandler(handler)

    assert first == '(return-error 1 "ValueError: ours")'
    assert second == '(return-error 2 "ValueError: ours")'
    assert "ValueError: ours" in capsys.readouterr().err


def test_error_of_a_method_is_logged_once(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A bug of ours leaves its traceback in the server's log; a misuse leaves nothing."""
    bench.functions["fail"] = lambda: fail_with(ValueError("ours"))
    bench.functions["refuse"] = lambda: fail_with(Refused("theirs"))
    with caplog.at_level(logging.INFO), bench.peer() as peer:
        peer.ask("(call 1 fail nil)")
        peer.ask("(call 2 refuse nil)")

    (record,) = caplog.records
    assert record.name == "midflight.epc"
    assert record.getMessage().endswith("ValueError: ours\n")


def test_functions_registered_for_the_close_run_once(bench: Any) -> None:
    """They run when the peer hangs up, and at once when registered too late."""
    closed = threading.Event()
    calls: list[str] = []
    with bench.peer():
        (connection,) = bench.server.peers()
        connection.at_close(lambda: calls.append("first"))
        connection.at_close(closed.set)
    assert closed.wait(DEADLINE_SECONDS)

    connection.at_close(lambda: calls.append("late"))

    assert sorted(calls) == ["first", "late"]
