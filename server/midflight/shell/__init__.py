"""The shell: one evaluator, shared by Emacs, Neovim and the terminal."""

from midflight.shell.session import EvalResult, Session

__all__ = ["EvalResult", "Session"]
