"""The pages of docs/reference: `brought_up_to_date` gives the text that a page has to have."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
# The public modules, each with its page.
PAGES = {
    "midflight": "midflight.md",
    "midflight.code": "code.md",
    "midflight.code.lowlevel": "lowlevel.md",
    "midflight.cluster": "cluster.md",
    "midflight.otp.application": "application.md",
    "midflight.otp.sys": "sys.md",
    "midflight.errors": "errors.md",
    "midflight.testing": "testing.md",
}
HEAD = "| Name | What it is |\n|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"((?:\|.*\|\n)*)")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def brought_up_to_date(module: str, text: str) -> str:
    """Return the page of `module`, of which `text` is an older form.

    Each public name stays in the section where `text` has it; a new one comes under "More".
    """
    found = importlib.import_module(module)
    public = sorted(found.__all__)
    text = TABLE.sub(lambda table: _table(found, [name for name in ROW.findall(table[1]) if name in public]), text)
    missing = [name for name in public if name not in ROW.findall(text)]
    return text + "\n## More\n\n" + _table(found, missing) if missing else text


def _table(module: object, names: list[str]) -> str:
    return HEAD + "".join(f"| `{name}` | {first_sentence(getattr(module, name))} |\n" for name in names)


def first_sentence(value: object) -> str:
    """Return the first sentence of a docstring, as the cell of a table; for a constant, its value or its type."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return f"a `{type(value).__name__}`" if " at 0x" in repr(value) else f"`{value!r}`"
    line = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=[^.][.])\s", line, maxsplit=1)[0].replace("|", "\\|")
