"""Plain pages, and what Sphinx wants to know besides: the order of the pages.

A page README.md below docs/ is the table of contents of its folder: the order of its links is the order of the pages.
"""

import posixpath
import re
from pathlib import Path

LINK = re.compile(r"\]\((?!https?:)([^)#\s]+\.md)\)")


def setup(app):
    """Look at each page before it is parsed, and make the first page's other address."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_start)


def add_contents(_app, name, source):
    """Append a table of contents for each section of an index page; it shows in the margin only."""
    if name.startswith("docs/") and name.endswith("README"):
        folder = posixpath.dirname(name)
        source[0] += "".join(_contents(folder, section) for section in re.split(r"^## ", source[0], flags=re.M))


def _contents(folder, section):
    """Return the table of contents for one section of an index page; what comes before the sections has no title."""
    title = section.partition("\n")[0]
    caption = "" if title.startswith("# ") else f":caption: {title}\n"
    linked = [posixpath.normpath(posixpath.join(folder, link)).removesuffix(".md") for link in LINK.findall(section)]
    below = [one for one in dict.fromkeys(linked) if folder != "docs" or one.count("/") < 2 or one.endswith("README")]
    if not below:
        return ""
    return f"\n```{{toctree}}\n:hidden:\n{caption}\n" + "".join(f"/{one}\n" for one in below) + "```\n"


def add_start(app, failure):
    """Write the site's index.html, which leads to the first page."""
    if failure is None and app.builder.name == "html":
        first = app.builder.get_target_uri(app.config.root_doc)
        page = f'<!doctype html><title>Midflight</title><meta http-equiv="refresh" content="0; url={first}">\n'
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")
