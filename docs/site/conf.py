"""Settings of Sphinx for the site and the Info manual: `make docs`. The pages are this checkout's Markdown files.

The pages stay plain, as a Git host shows them. What Sphinx needs besides is derived from them by the files here:
pages.py (tables of contents), api.py (the reference), docstrings.py (docstrings as reStructuredText), manual.py (the
index of the manual, and its tables for Info).
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "server"), str(HERE)]

import api  # noqa: E402  # its folder had to be on the path first
import docstrings  # noqa: E402
import manual  # noqa: E402
import pages  # noqa: E402

import midflight  # noqa: E402

project = "Midflight"
author = "The Midflight authors"
project_copyright = "2026 The Midflight authors"
version = release = midflight.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "docs/README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**"]
exclude_patterns = [".*", "bench", "build", "docs/site", "elisp", "examples", "scripts", "server", "tests"]

myst_heading_anchors = 4  # links such as upgrade.md#several-modules
highlight_language = "none"  # a block that names no language has none

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
strip_signature_backslash = True

html_theme = "alabaster"
html_theme_options = {
    "description": "Erlang's hot code loading for Python",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "250px",
}
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False

# The Info manual: the pages of docs/manual, under the node (midflight), which the command midflight-manual shows.
today = "2026"
texinfo_documents = [
    (
        "docs/manual/README",
        "midflight",
        "Midflight",
        author,
        "Midflight",
        "Load Python code into a running system.",
        "Emacs",
    )
]
texinfo_domain_indices = False
texinfo_show_urls = "inline"


def setup(app):
    """Connect what derives the rest from plain pages and plain docstrings."""
    pages.setup(app)
    api.setup(app)
    docstrings.setup(app)
    manual.setup(app)
