"""The harness of tests/real: a program in a server of its own, and the list of edits that each program goes through."""

from real.harness.edit import Edit
from real.harness.every_edit import EveryEdit
from real.harness.running import DEADLINE_SECONDS, Running, Start

__all__ = ["DEADLINE_SECONDS", "Edit", "EveryEdit", "Running", "Start"]
