"""The work of each operation that comes from another node. The list of operations is in peer.py.

Law: whatever one operation holds, the next is done: a value that cannot be made is refused, and both nodes say so.
"""

from __future__ import annotations

import logging
from typing import Any

from midflight.cluster.distant_client import DistantClient
from midflight.cluster.errors import VersionSkew
from midflight.cluster.peer import Peer
from midflight.cluster.pickling import loads
from midflight.kernel import Client, Down, Process, ends, is_word
from midflight.otp import Call
from midflight.text import exception_said

__all__ = ["arrive"]

_log = logging.getLogger("midflight.cluster")


def arrive(peer: Peer, operation: bytes) -> None:
    """Do what an operation says. Raises nothing but what no operation may cause."""
    header, value_of = loads(operation, peer.here)
    try:
        value = value_of()
    except Exception as error:
        _refuse(peer, header, error)
        return
    _do(peer, header, value)


def _do(peer: Peer, header: tuple[Any, ...], value: Any) -> None:
    scheduler = peer.scheduler
    match header:
        case ("s", to):
            target = _here(peer, to)
            if target is not None:
                scheduler.deliver(target, value)
        case ("c", to, sender, number):
            target = _here(peer, to)
            if target is None:
                peer.put(("D", number), "noproc")
                return
            client = DistantClient.of(peer.process(sender), number, target.pid)
            _watch(peer, client, peer.process(sender), target)
            scheduler.deliver(target, Call(value, client))
        case ("a", number):
            _answer(peer, number, value)
        case ("r", number):
            ref = peer.here.own_ref(number)
            if issubclass(type(ref), Client):
                _stop_watching(peer, number)
            ref << value
        case ("m", to, sender, number):
            target = _here(peer, to)
            if target is None:
                peer.put(("D", number), "noproc")
            else:
                _watch(peer, peer.ref(number), peer.process(sender), target)
        case ("d", number):
            served = peer.serving.pop(number, None)
            if served is not None:
                _unwatch(*served)
        case ("D", number):
            _down(peer, number, value)
        case ("l", to, sender):
            _link(peer, _here(peer, to), to, peer.process(sender))
        case ("u", to, sender):
            target, other = _here(peer, to), peer.process(sender)
            if target is not None and target.links and other in target.links:
                del target.links[other]
                (other.links or {}).pop(target, None)
        case ("e", to, sender):
            target, other = _here(peer, to), peer.process(sender)
            if target is not None and target.links and other in target.links:
                del target.links[other]
                (other.links or {}).pop(target, None)
                ends.signal(scheduler, target, other.pid, value, by_link=True)
                _let_go(peer)
        case ("x", to, sender):
            target = _here(peer, to)
            if target is not None and is_word(value, "kill"):
                ends.kill(scheduler, target)
            elif target is not None:
                ends.signal(scheduler, target, peer.process(sender).pid, value)
            _let_go(peer)
        case ("g", name, number):
            peer.here.names.heard(peer, name, number)
        case ("n",):
            _log.error("Node %s has refused a message of this node: %s", peer.name, value)
        case _:
            _log.error("Node %s asks for %r, which this version of Midflight does not know.", peer.name, header[0])


def _here(peer: Peer, to: int | str) -> Process | None:
    scheduler = peer.scheduler
    return scheduler.processes.get(to) if isinstance(to, int) else scheduler.names.get(to)


def _let_go(peer: Peer) -> None:
    """Let processes that are held go on if a signal has come to them."""
    for each in peer.here.peers.values():
        each.holding.let_go_of_ending()


def _watch(peer: Peer, ref: Any, watcher: Process, target: Process) -> None:
    """Have `ref`, of a process of theirs, told of the end of `target`."""
    if watcher.monitors is None:
        watcher.monitors = {}
    if target.monitored_by is None:
        target.monitored_by = {}
    watcher.monitors[ref] = target
    target.monitored_by[ref] = (watcher, target.pid)
    peer.serving[ref.number] = ref, watcher, target


def _unwatch(ref: Any, watcher: Process, target: Process) -> None:
    (watcher.monitors or {}).pop(ref, None)
    (target.monitored_by or {}).pop(ref, None)
    ref.alias = None


def _answer(peer: Peer, number: int, value: Any) -> None:
    watched = peer.here.watching.pop(number, None)
    if watched is None:
        return
    client, _, target = watched
    if target.core is not peer:  # a process of a third node has answered
        target.core.put(("d", number))
    client.answer(value)


def _stop_watching(peer: Peer, number: int) -> None:
    watched = peer.here.watching.pop(number, None)
    if watched is not None:
        watched[2].core.put(("d", number))


def _down(peer: Peer, number: int, reason: Any) -> None:
    watched = peer.here.watching.pop(number, None)
    if watched is None:
        return
    ref, watcher, target = watched
    entry = (target.monitored_by or {}).pop(ref, None)
    if entry is None or watcher is None or watcher.pid.process is None:
        return
    (watcher.monitors or {}).pop(ref, None)
    ref.close()
    peer.scheduler.deliver(watcher, Down(ref, entry[1], reason))


def _link(peer: Peer, target: Process | None, to: int | str, other: Process) -> None:
    if target is None:
        peer.put(("e", other.pid.number, to), "noproc")
        return
    for one, two in ((target, other), (other, target)):
        if one.links is None:
            one.links = {}
        one.links[two] = None


def _refuse(peer: Peer, header: tuple[Any, ...], error: Exception) -> None:
    """Say on both nodes that the value of an operation could not be made; who waits for it is told at once."""
    if isinstance(error, VersionSkew):
        error = VersionSkew(error.cls, error.theirs, error.ours, peer.name)
    text = exception_said(error)
    match header:
        case ("c", _, _, number):
            peer.put(("D", number), error)
        case ("a", number):
            _down(peer, number, error)
        case ("e" | "x" | "D", *_):
            _do(peer, header, text)  # the reason is lost, the signal is not
        case _:
            peer.put(("n",), text)
    _log.error("What node %s has sent (%s) could not be made into a value here: %s", peer.name, header, text)
