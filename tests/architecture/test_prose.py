"""Docstrings, comments and pages are plain English: they name the noun, and use no word of the ban list."""

from __future__ import annotations

import pytest

from architecture.prose import banned, prose_of_elisp, prose_of_page, prose_of_source, questions, questions_of_elisp
from architecture.sources import ROOT, files, text_of

# Made by scripts from the titles of tests, which have an English of their own.
GENERATED = {"docs/erlang.md", "docs/versions.md", "docs/rivals.md", "docs/statements.md"}
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/")


def sources() -> list[tuple[str, str]]:
    """The name and the text of each Python file of the server."""
    chosen = [path for path in files() if path.suffix == ".py" and path.is_relative_to(ROOT / "server")]
    return [(path.relative_to(ROOT).as_posix(), text_of(path) or "") for path in chosen]


def elisp() -> list[tuple[str, str]]:
    """The name and the text of each file of the Emacs package."""
    chosen = [path for path in files() if path.suffix == ".el" and path.is_relative_to(ROOT / "elisp")]
    return [(path.relative_to(ROOT).as_posix(), text_of(path) or "") for path in chosen]


def pages() -> list[tuple[str, str]]:
    """The name and the text of each Markdown page that people write."""
    chosen = [(path.relative_to(ROOT).as_posix(), path) for path in files() if path.suffix == ".md"]
    return [(name, text_of(path) or "") for name, path in chosen if name.startswith(PAGES) and name not in GENERATED]


def test_sources_and_pages_are_seen() -> None:
    """The rules below look at all of them; an empty look would always pass."""
    assert {"server/midflight/kernel/core.py", "server/midflight/__init__.py"} <= {name for name, _ in sources()}
    assert {"README.md", "docs/upgrade.md", "CHANGELOG.md"} <= {name for name, _ in pages()}
    assert {"elisp/midflight.el", "elisp/midflight-epc.el"} <= {name for name, _ in elisp()}


def test_no_docstring_opens_with_a_question_word() -> None:
    """The first words are a noun phrase or an imperative: they name what is in the file, or what the function does."""
    assert [broken for name, text in sources() for broken in questions(name, text)] == []


def test_no_docstring_or_comment_has_a_banned_word() -> None:
    """The reader of the source is no scholar of old English."""
    assert [broken for name, text in sources() for broken in banned(name, prose_of_source(text))] == []


def test_no_page_has_a_banned_word() -> None:
    """Code in a page, which may quote a message, is not prose."""
    assert [broken for name, text in pages() for broken in banned(name, prose_of_page(text))] == []


def test_no_docstring_of_elisp_opens_with_a_question_word() -> None:
    """Nor does the line of a file that says what the file is for."""
    assert [broken for name, text in elisp() for broken in questions_of_elisp(name, text)] == []


def test_no_message_docstring_or_comment_of_elisp_has_a_banned_word() -> None:
    """In elisp each string counts: nearly all of them are shown to the user."""
    assert [broken for name, text in elisp() for broken in banned(name, prose_of_elisp(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        ";;; a.el --- What is in it  -*- lexical-binding: t; -*-",
        '(defun a ()\n  "What it does."\n  nil)',
        '(cl-defun a (&key (b 2))\n  "Who asks."\n  nil)',
        '(defvar-local a nil "Which one.")',
        '(defcustom a nil\n  "How many there are."\n  :type \'integer)',
        '(define-minor-mode a\n  "Where it is."\n  :lighter "")',
    ],
)
def test_a_question_word_of_elisp_is_found(text: str) -> None:
    """In the headline of a file, and in the docstring of a function, a variable and a mode."""
    assert len(list(questions_of_elisp("a.el", text))) == 1


@pytest.mark.parametrize("text", ['(defun a ()\n  "Say what."\n  (message "What now?"))', '(message "Who?")'])
def test_a_question_of_elisp_elsewhere_is_left_alone(text: str) -> None:
    """A message may ask the user."""
    assert list(questions_of_elisp("a.el", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        '\n(message "it begins anew")',
        "\n;; it begins anew",
        '\n(when (eq key ?") (message "anew"))',
        '\n(list ?\\" "a \\"b\\" anew")',
        '\n(f "x") ; begins anew',
        '\n(f "goes by\nitself")',
    ],
)
def test_a_banned_word_of_elisp_is_found(text: str) -> None:
    """In a message and a comment, behind a character that looks like a quote."""
    assert [found.partition(": ")[0] for found in banned("a.el", prose_of_elisp(text))] == ["a.el:2"]


@pytest.mark.parametrize("text", ["(anew)", ";; see `anew'", '(f ?\\; anew "b")', '(f "`anew\' is there")'])
def test_code_of_elisp_is_left_alone(text: str) -> None:
    """Symbols, also those that a comment or a docstring quotes."""
    assert list(banned("a.el", prose_of_elisp(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        '"""What is told of held servers."""',
        '"""\nWho is where in the code."""',
        'class Group:\n    """Those who are in a version."""',
        'async def find():\n    """Where it is, and why."""',
        'def load():\n    """`Which` module a path means."""',
    ],
)
def test_a_question_word_is_found(text: str) -> None:
    """At the head of a module, a class and a function alike."""
    assert len(list(questions("file.py", text))) == 1


@pytest.mark.parametrize("text", ['"""The place where it is."""', "x = 1", 'name = "What is it?"', '""""""'])
def test_a_question_word_elsewhere_is_left_alone(text: str) -> None:
    """Inside a sentence, or in a text that is not a docstring."""
    assert list(questions("file.py", text)) == []


@pytest.mark.parametrize(
    "words",
    [
        "it begins anew",
        "amid a step",
        "beside the runtime",
        "it shall run",
        "Whoever asks",
        "whom it tells",
        "it waits for ever",
        "it waits for\never",
        "nobody hears of it",
        "it goes by itself",
        "code of the user's",
        "the rest is none",
        "it is no pid",
        "these are no processes",
    ],
)
def test_a_banned_word_is_found(words: str) -> None:
    """In a docstring, a comment and a page, at its line, over the end of a line, too."""
    docstring = f'x = 1\n\ndef f():\n    """{words}."""\n'
    comment = "x = 1\n\n\ny = 2  # " + words.replace("\n", "\n# ") + "\n"
    page = f"# Title\n\nA line.\n{words}\n"

    for prose in (prose_of_source(docstring), prose_of_source(comment), prose_of_page(page)):
        assert [found.partition(": ")[0] for found in banned("file", prose)] == ["file:4"]


@pytest.mark.parametrize(
    "words", ["besides", "there is none", "There is no pid", "is no longer", "`is none`", "is None"]
)
def test_a_word_that_only_looks_banned_is_left_alone(words: str) -> None:
    """Plain forms, names in backticks, and Python's own None."""
    for prose in (prose_of_source(f"# {words}\n"), prose_of_page(words)):
        assert list(banned("file", prose)) == []


@pytest.mark.parametrize(
    "page", ["```\nbegins anew\n```\n", "``begins `anew` ``", "<!-- anew -->", "  ```text\nanew\n  ```"]
)
def test_code_in_a_page_is_left_alone(page: str) -> None:
    """In fences, in backticks and in comments of the page."""
    assert list(banned("file", prose_of_page(page))) == []


def test_a_string_in_code_is_left_alone() -> None:
    """A message has its own tests."""
    assert list(banned("file", prose_of_source('x = "begins anew"\n'))) == []
