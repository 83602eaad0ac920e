"""`as_rst`: a docstring of this project as reStructuredText. Autodoc reads that; the sources have plain text.

Paragraphs are apart by an empty line, or begin with `Raises:`, `Returns:` or `OTP:`. A `- ` begins an item of a list.
Lines that are all indented, or begin with `>>>`, are an example. Single backticks are code, and nothing else is markup.
"""

import re

FIELD = re.compile(r"(Returns|Raises|OTP|Difference|Differences|Units):(?=\s)")
CODE = re.compile(r"`+([^`\n]+(?:\n[^`\n]+)?)`+")
NAMED = re.compile(r"`[^`]+`(, `[^`]+`)*(, [^:`]+)?:(?=\s)")


def setup(app):
    """Let autodoc use it for each docstring."""
    app.connect("autodoc-process-docstring", convert)


def convert(_app, _what, _name, _object, _options, lines):
    """Replace `lines`, as autodoc wants it."""
    lines[:] = as_rst("\n".join(lines)).split("\n")


def as_rst(text):
    """Return a docstring, without its indentation, as reStructuredText that has no other markup than code and lists."""
    return "\n\n".join(block for part in re.split(r"\n\s*\n", text.strip("\n")) for block in _blocks(part)) + "\n"


def _blocks(part):
    """Yield what the lines between two empty ones are in reStructuredText."""
    lines = part.split("\n")
    if all(line.startswith("    ") for line in lines):
        yield "::\n\n" + part
    elif lines[0].lstrip().startswith(">>>"):
        yield "::\n\n" + "\n".join("    " + line for line in lines)
    else:
        yield from _paragraphs(lines)


def _paragraphs(lines):
    """Yield paragraphs and items; what is indented goes on with the one before."""
    found = []
    for line in lines:
        if not found or _begins(line):
            found.append([])
        found[-1].append(line.strip())
    for number, one in enumerate(found):
        text = " ".join(one)
        if text.startswith("- "):
            yield "* " + escaped(text[2:])
        elif number and NAMED.match(text):
            yield "* " + escaped(text)
        elif match := FIELD.match(text):
            yield f"**{match[0]}** {escaped(text[match.end() :].lstrip())}"
        else:
            yield escaped(text)


def _begins(line):
    """Whether a paragraph or an item begins with that line."""
    return bool(FIELD.match(line) or re.match(r"\s*- ", line) or NAMED.match(line))


def escaped(text):
    """Return a line with code in double backticks and all else without a meaning."""
    done, at = [], 0
    for match in CODE.finditer(text):
        done += [_plain(text[at : match.start()]), "``", match[1].strip(), "``\\ "]
        at = match.end()
    line = "".join([*done, _plain(text[at:])])
    return re.sub(r"^(\d+)([.)] )", r"\1\\\2", line)


def _plain(text):
    return re.sub(r"([\\*_|`])", r"\\\1", text)
