"""docs/protocol.md says what the server does: its frames are frames, its methods are all of them."""

from __future__ import annotations

import hmac
import re

from architecture.sources import PACKAGE, ROOT
from midflight.epc.cookie import read_claim
from midflight.epc.handshake import Handshake, read_answer, read_hello, read_proof
from midflight.epc.wire import Frame, FrameReader, decode

PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")


def test_every_frame_on_the_page_is_one() -> None:
    """With its true length, and understood as a whole."""
    frames = re.findall(r"^[0-9a-f]{6}\(.*\n", PAGE, re.MULTILINE)
    reader = FrameReader()

    for text in frames:
        reader.feed(text.encode())
    events = [reader.next_event() for _ in frames]

    assert len(frames) == 8
    assert reader.next_event() is None
    assert [decode(event.payload).kind for event in events if isinstance(event, Frame)] == ["call", "return"] * 4


def test_the_handshake_on_the_page_is_right() -> None:
    """Its proofs are those of the texts in its table, and the server's own code takes its frames."""
    rows = re.findall(r"^\| [^|]* \| `([^`]*)`.* \|$", PAGE.split("### The handshake")[1].split("###")[0], re.MULTILINE)
    _, client_nonce, server_nonce, address, pid = rows
    cookie = re.search(r"key is the cookie `([^`]*)`", PAGE)
    hello, answer, proof = (
        re.search(rf"^[0-9a-f]{{6}}(\({start}.*\n)", PAGE, re.MULTILINE)
        for start in ("call 1 hello", 'return 1 \\("', "call 2 prove")
    )
    assert None not in (cookie, hello, answer, proof)
    found, shown, given = read_hello(hello[1].encode()), read_answer(answer[1].encode()), read_proof(proof[1].encode())
    handshake = Handshake(client_nonce, server_nonce, address, int(pid))

    assert found is not None
    assert (found.protocol, found.nonce) == (1, client_nonce)
    assert shown == (server_nonce, handshake.proof(cookie[1], "server").encode())
    assert given is not None
    assert given.value == handshake.proof(cookie[1], "client").encode()
    message = "\n".join(("server", client_nonce, server_nonce, address, pid)).encode()
    assert hmac.new(cookie[1].encode(), message, "sha256").hexdigest().encode() == shown[1]


def test_the_first_frame_on_the_page_lets_one_in() -> None:
    """It has the shape that is compared as bytes."""
    frame = re.search(r"^[0-9a-f]{6}(\(call 1 authenticate \(\"(.*)\"\)\)\n)", PAGE, re.MULTILINE)

    assert frame is not None
    claim = read_claim(frame[1].encode(), frame[2])

    assert claim is not None
    assert claim.is_valid


def test_the_page_names_every_method() -> None:
    """All that are registered, and no other."""
    sources = [path.read_text(encoding="utf-8") for path in (PACKAGE / "epc/methods").glob("*.py")]
    methods = {name for text in sources for name in re.findall(r'\bMethod\("([^"]+)"', text)}
    served = PAGE.split("## Methods of the server")[1].split("## Calls by the server")[0]

    assert set(re.findall(r"^\| `([^`]+)` \|", served, re.MULTILINE)) == methods
    assert methods
