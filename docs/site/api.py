"""The pages of docs/reference, with each row of a table replaced by what the docstring says.

As plain Markdown such a page has a table of names. Its heading names the module: # `midflight.code`.
"""

import importlib
import inspect
import re

HEADING = re.compile(r"\A# `([\w.]+)`$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \|.*\|$")
TABLE = re.compile(r"^\| Name \|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)


def setup(app):
    """Look at each page before it is parsed."""
    app.connect("source-read", expand)


def expand(_app, _name, source):
    """Put the directives of autodoc in place of the tables of names."""
    if heading := HEADING.search(source[0]):
        module = heading[1]
        source[0] = TABLE.sub(lambda table: _directives(module, table[1]), source[0])


def _directives(module, rows):
    """Return the rows of one table as directives of autodoc."""
    names = [ROW.match(row)[1] for row in rows.splitlines()]
    return "```{eval-rst}\n" + "\n".join(_directive(module, name) for name in names) + "```\n"


def _directive(module, name):
    """Return the directive for one name: by the kind of thing that it is."""
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        return f".. {kind}:: {module}.{name}\n   :members:\n"
    return f".. {'autofunction' if callable(value) else 'autodata'}:: {module}.{name}\n"
