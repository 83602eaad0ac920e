"""The end of a command: an exit code for each kind of error, and its text, or JSON of one shape.

    {"error": {"kind": "not-found", "code": 4, "text": "'till' is neither a pid nor a registered name; ..."}}

With --json it is on stdout; the text is on stderr in any case. The report of a refused load has its `error`, too.
"""

from __future__ import annotations

import argparse
import json
import sys

from midflight.cli.choices import EXIT_CODES
from midflight.cli.wording import in_options
from midflight.epc import kind_of
from midflight.errors import ConnectionLost, NoServer

__all__ = ["error_of", "tell"]


def tell(options: argparse.Namespace, error: Exception) -> int:
    """Say why a command did not do as it was told; return its exit code."""
    kind = "no-server" if isinstance(error, NoServer | ConnectionLost) else kind_of(error)
    text = in_options(str(error))
    if options.json:
        print(json.dumps({"error": error_of(kind, text)}, ensure_ascii=False, indent=2))
    print(f"midflight: {text}", file=sys.stderr)
    return EXIT_CODES[kind]


def error_of(kind: str, text: str) -> dict[str, object]:
    """Return an error as data."""
    return {"kind": kind, "code": EXIT_CODES[kind], "text": text}
