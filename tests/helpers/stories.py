"""What people do in Emacs in more than one story."""

from __future__ import annotations

import re

from helpers.emacs import Emacs

__all__ = ["SHELL", "ask", "find", "insert_above", "load_again", "load_first", "switch_to"]

SHELL = "*midflight-shell"
RESET = '        case ("reset",): return loop(0)'


def load_first(emacs: Emacs, module: str) -> None:
    """Load the file that is shown, which starts the server after a question; wait for the shell."""
    emacs.press("C-c", "C-k")
    emacs.answer(r"No Midflight server runs for .*; start one\? \(y or n\)", "y")
    emacs.wait_echo(rf"\b{module} v1 loaded \(")
    emacs.wait_line(SHELL, "1>")


def switch_to(emacs: Emacs, buffer: str) -> None:
    """Select the buffer, in this window or in the one that shows it."""
    emacs.press("M-x")
    emacs.wait_echo("M-x")
    emacs.type("pop-to-buffer")
    emacs.press("Enter")
    emacs.wait_echo("Pop to buffer")
    emacs.type(buffer)
    emacs.press("Enter")
    emacs.wait(f"the cursor in {buffer}", lambda emacs: buffer in emacs.selected())


def load_again(emacs: Emacs, expected: str, *, is_asked: bool = True) -> re.Match[str]:
    """Load the changed file, saving it as the question proposes; the echo area must match `expected`.

    Emacs asks only once for a buffer.
    """
    emacs.press("C-c", "C-k")
    if is_asked:
        emacs.answer(r"Save .* before each load \(n: load it unsaved\)\? \(y or n\)", "y")
    return emacs.wait_echo(expected)


def ask(emacs: Emacs, text: str, number: int, *answers: str) -> list[str]:
    """Type `text` at the shell's prompt `number`; return what is shown between it and the next prompt.

    That must be lines that match `answers`, top to bottom.
    """
    emacs.wait_line(SHELL, f"{number}>")
    emacs.type(text)
    emacs.press("Enter")
    emacs.wait_line(SHELL, f"{number + 1}>")
    shown = emacs.window(SHELL)
    start = max(index for index, line in enumerate(shown) if line == f"{number}> {text}")
    lines = shown[start + 1 : shown.index(f"{number + 1}>", start)]
    matches = len(lines) == len(answers) and all(map(re.fullmatch, answers, lines))
    assert matches, f"asked {text!r}, expected {answers}, got {lines}; the screen:\n{emacs.framed()}"
    return lines


def find(emacs: Emacs, text: str) -> None:
    """Go to the next place of `text`."""
    emacs.press("C-s")
    emacs.type(text)
    emacs.wait("the text that is looked for", lambda emacs: f"I-search: {text}" in emacs.echo())
    emacs.press("Enter")
    emacs.wait("the cursor there", lambda emacs: text in emacs.line())


def insert_above(emacs: Emacs, line: str, text: str) -> None:
    """Go to the first line with `line` in it, as a person does by searching, and type `text` above it."""
    emacs.press("M-<")
    find(emacs, line)
    emacs.press("C-a")
    emacs.type(f"{text}\n")
