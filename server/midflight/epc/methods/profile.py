"""The method that takes a profile of the program.

(call 6 profile/take (2))
(return 6 (:seconds 2.0 :looks 198 :busy 120
           :rows ((:who "<0.37.0> till" :module "shop" :version 2 :function "Till.pay" :path "/project/shop.py" :line 12
                   :own 80 :total 96))
           :left 0 :svg "<svg ..."))
"""

from __future__ import annotations

from midflight.epc.method import Lane, Method
from midflight.errors import RequestError
from midflight.observer import ProfileRow, flame_svg, take_profile

__all__ = ["ProfileMethods"]

Plist = dict[str, object]

_MOST = 1000  # rows of an answer, which must fit into a frame
_LONGEST_SECONDS = 600


class ProfileMethods:
    """Profiles, as any connection may take them."""

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("profile/take", self.take, Lane.ASIDE),)

    def take(self, seconds: object) -> Plist:
        """Look at all threads for SECONDS, 600 at most; return the first 1000 rows, and the flame picture as SVG."""
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= _LONGEST_SECONDS:
            raise RequestError(
                f"SECONDS must be a number above 0 and up to {_LONGEST_SECONDS}, received {seconds!r}; nothing was "
                "looked at. Send one."
            )
        found = take_profile(seconds)
        return {
            "seconds": round(found.seconds, 3),
            "looks": found.looks,
            "busy": found.busy,
            "rows": [_plist(row) for row in found.rows[:_MOST]],
            "left": len(found.rows[_MOST:]),
            "svg": flame_svg(found),
        }


def _plist(row: ProfileRow) -> Plist:
    function = row.function
    return {
        "who": row.who,
        "module": function.module,
        "version": function.version,
        "function": function.name,
        "path": function.path,
        "line": function.line,
        "own": row.own,
        "total": row.total,
    }
