"""The words of the server for the command line: where it names Python, the option or the command that does the same."""

from __future__ import annotations

import re

__all__ = ["in_options"]

_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\bforce=True\b", "--force"),
        (r"\bcrash/list\b", "midflight crashes"),
        (r"\btwo_versions=True\b", "--two-versions"),
        (r"\bforward=True\b", "--forward"),
        (r"\btimeout=SECONDS\b", "--timeout SECONDS"),
        (r"""\bthread="runtime"(?=,)""", "--thread runtime"),
        (r"(?<![\w.]):(extra|force|timeout|to)\b(?! *=)", r"--\1"),
        (r"\bcode\.recover\('([\w.]+)', '([^']+)'\)", r"midflight recover \1 \2"),
        (r"(?<![\w.])(?:code\.)?(move|purge|forward)\('([\w.]+)'\)", r"midflight \1 \2"),
        (
            r"\bMODULE must not be empty; nothing was done\. Send a name",
            "MODULE is empty; nothing was done. Give a name",
        ),
    )
)


def in_options(text: str) -> str:
    """Return `text` of the server with the command line's own names."""
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text
