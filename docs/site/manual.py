"""The manual's index, and its tables as Info reads best. The pages of docs/manual stay plain Markdown.

Every command and option that a page names in backticks gets an entry in the index, once a section. So does the text
of a comment such as <!-- index: errors, of a load -->, at its place. In Info a table becomes a list: a term, and what
it is.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

PAGES = "docs/manual/"
COMMAND = re.compile(r"midflight(-[a-z]+)*")
ANY_COMMAND = re.compile(r"[a-z]+(-[a-z]+)+")  # on the page of keys, which names commands of Emacs itself
COMMENT = re.compile(r"<!-- index: (.*?) -->")


def setup(app):
    """Add the entries to each page that is read, and change the tables of each that is written for Info."""
    app.add_transform(IndexEntries)
    app.connect("doctree-resolved", list_tables)


class IndexEntries(SphinxTransform):
    """Puts entries for the index into the pages of the manual."""

    default_priority = 845  # before 850, when Sphinx collects them

    def apply(self, **_):
        """Look at the page that is read."""
        name = self.env.docname
        if name.startswith(PAGES):
            pattern = ANY_COMMAND if name == PAGES + "keys" else COMMAND
            _add_comments(self.document)
            for section in list(self.document.findall(nodes.section)):
                _add_commands(section, pattern)


def _add_comments(page):
    """Replace the comments that ask for an entry."""
    for comment in [*page.findall(nodes.comment), *page.findall(nodes.raw)]:
        entries = COMMENT.findall(f"{comment.rawsource}\n{comment.astext()}")
        if entries and comment.parent is not None:
            comment.replace_self([_entry(text, _id_of(comment)) for text in dict.fromkeys(entries)])


def _add_commands(section, pattern):
    """Put an entry before each paragraph of this section, not of one below, that names a command or an option first."""
    seen = set()
    for literal in list(section.findall(nodes.literal)):
        name, block = literal.astext(), _block(literal)
        if block is None or name in seen or not pattern.fullmatch(name) or _section(literal) is not section:
            continue
        seen.add(name)
        place = block.parent.index(block) + isinstance(block, nodes.title)
        block.parent.insert(place, _entry(name, section["ids"][0]))


def _entry(text, target):
    return addnodes.index(entries=[("single", text.replace(";", ","), target, "", None)])


def _block(node):
    """Return the paragraph or title that a node is in."""
    while node is not None and not isinstance(node, nodes.paragraph | nodes.title):
        node = node.parent
    return node


def _root(node):
    while node.parent is not None:
        node = node.parent
    return node


def _section(node):
    while not isinstance(node, nodes.section):
        node = node.parent
    return node


def _id_of(node):
    return _section(node)["ids"][0]


def list_tables(app, page, name):
    """For Info, turn each table of the manual into a list: the first cell is the term, the others say what it is.

    The whole manual comes at once, under the name of its first page.
    """
    if app.builder.name != "texinfo" or not name.startswith(PAGES):
        return
    for table in list(page.findall(nodes.table)):
        if _root(table) is page:  # the table of the chapters: Info has a menu for that
            table.parent.remove(table)
            continue
        body = next(iter(table.findall(nodes.tbody)))
        table.replace_self(nodes.definition_list("", *[_item(row) for row in body]))


def _item(row):
    """Return a row as an item; of three cells the second, a command, follows the third in parentheses."""
    term, *cells = row
    inside = [node for node in cells[-1].children if isinstance(node, nodes.paragraph)]
    text = nodes.paragraph("", "", *[node for one in inside for node in one.children])
    if len(cells) == 2:
        text += nodes.Text(" (")
        text += [node for one in cells[0].findall(nodes.paragraph) for node in one.children]
        text += nodes.Text(")")
    entries = [node for cell in row for node in cell.findall(addnodes.index)]
    words = [node for one in term.findall(nodes.paragraph) for node in one.children]
    return nodes.definition_list_item("", nodes.term("", "", *words), nodes.definition("", *entries, text))
