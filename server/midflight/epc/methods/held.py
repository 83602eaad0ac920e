"""Methods about what a load has left old: who holds functions of older versions, and what renews those or a state.

    (call 5 code/holders ("shop"))
    (return 5 (:module "shop" :holders ((:name "index" :version 1 :where "main.app, in a Route" :renewed nil))
               :text "index, v1: held by main.app, in a Route\n"))

The search begins with the request, and runs in slices between which all others run.
"""

from __future__ import annotations

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import number, text
from midflight.epc.methods.loading import Loading, Plist, forward_plist
from midflight.errors import RequestError
from midflight.text import medium

__all__ = ["HeldMethods"]

_SECONDS = 60  # for a search, if the peer does not say
_MOST = 200  # holders in an answer; `text` says how many more there are


class HeldMethods:
    """The functions and values that the loads of one connection have left old."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/holders", self.holders, Lane.ASIDE),
            Method("code/forward", self.forward),
            Method("code/recover", self.recover),
        )

    def holders(self, module: object, seconds: object = None) -> Plist:
        """Return who holds functions of older versions of MODULE, by this connection's last load of it.

        Waits for the search, SECONDS at most, and answers with an error if it takes longer.
        """
        name = text(module, "MODULE")
        patience = _SECONDS if seconds is None else number(seconds, "SECONDS")
        search = self._loading.holders_of(name)
        try:
            found = () if search is None else search.wait(patience)
        except TimeoutError as error:
            raise RequestError(f"{error}.") from None
        lines = lowlevel.holder_lines(found)
        more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
        return {
            "module": name,
            "holders": [
                {"name": each.name, "version": each.version, "where": each.text, "renewed": each.renewed or None}
                for each in found[:_MOST]
            ],
            "text": "".join(f"{line}\n" for line in [*lines[:_MOST], *more]),
        }

    def forward(self, module: object) -> Plist:
        """Make the functions of older versions of MODULE that others hold the current ones, where that is safe."""
        report = code.forward(text(module, "MODULE"))
        self._loading.note_holders(report)
        return forward_plist(report)

    def recover(self, module: object, name: object) -> Plist:
        """Bind the variable NAME of MODULE to the value that a load has left behind."""
        owner, variable = text(module, "MODULE"), text(name, "NAME")
        try:
            value = code.recover(owner, variable)
        except LookupError as error:
            raise RequestError(f"{error.args[0]}.") from None
        return {"module": owner, "name": variable, "value": medium(value)}
