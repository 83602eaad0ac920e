"""`as_rst`: a docstring of this project as reStructuredText. Autodoc reads that; the sources have plain text.

An empty line ends a paragraph; `Raises:`, `Returns:` and `OTP:` begin one. A `- ` begins an item of a list. So does a
name in backticks if several lines begin with one. Lines that are all indented, or begin with `>>>`, are an example.
Single backticks are code. Nothing else is markup.
"""

import ast
import re
import textwrap

FIELD = re.compile(r"(Returns|Raises|OTP|Units):(?=\s)")
INNER_FIELD = re.compile(r"(?<=[.)]) (?=(?:Returns|Raises|OTP): )")
CODE = re.compile(r"`+([^`\n]+)`+")
NAMED = re.compile(r"`\w+`[:,]")
INDENT = "    "


def setup(app):
    """Let autodoc use it for each docstring."""
    app.connect("autodoc-process-docstring", convert)


def convert(_app, _what, _name, _object, _options, lines):
    """Replace `lines`, as autodoc wants it."""
    lines[:] = as_rst("\n".join(lines)).split("\n")


def as_rst(text):
    """Return a docstring, without its indentation, as reStructuredText that has no other markup than code and lists."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if _is_example(part):
            if found and type(found[-1]) is _Example:
                part = f"{found.pop()}\n\n{part}"
            found.append(_Example(part))
        else:
            found += _paragraphs(part.split("\n"))
    return "\n\n".join(one.as_rst() if type(one) is _Example else one for one in found) + "\n"


class _Example(str):
    def as_rst(self):
        """Return it as a block: coloured if it is Python."""
        text = textwrap.dedent(self)
        block = textwrap.indent(text, INDENT)
        return f".. code-block:: {'python' if _is_python(text) else 'none'}\n\n{block}"


def _is_example(part):
    lines = part.split("\n")
    return all(line.startswith(INDENT) for line in lines) or lines[0].lstrip().startswith(">>>")


def _is_python(text):
    try:
        compile(text, "example", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    return True


def _paragraphs(lines):
    """Yield paragraphs and items; a line that is indented goes on with the one before."""
    is_list = sum(bool(NAMED.match(line)) for line in lines) > 1
    found = []
    for line in lines:
        begins = FIELD.match(line) or line.lstrip().startswith("- ") or (is_list and NAMED.match(line))
        if not found or begins:
            found.append([])
        found[-1].append(line.strip())
    for one in found:
        text = " ".join(one)
        if text.startswith("- "):
            yield f"* {escaped(text[2:])}"
        elif is_list and NAMED.match(text):
            yield f"* {escaped(text)}"
        else:
            for paragraph in INNER_FIELD.split(text):
                field = FIELD.match(paragraph)
                rest = paragraph[field.end() :].lstrip() if field else paragraph
                yield f"**{field[0]}** {escaped(rest)}" if field else escaped(rest)


def escaped(text):
    """Return a line with code in double backticks and all else without a meaning."""
    done, at = [], 0
    for match in CODE.finditer(text):
        done += [_plain(text[at : match.start()]), f"``{match[1].strip()}``\\ "]
        at = match.end()
    line = "".join([*done, _plain(text[at:])])
    return re.sub(r"^(\d+)([.)] )", r"\1\\\2", line)


def _plain(text):
    return re.sub(r"([\\*_|`])", r"\\\1", text)
