"""Rows, trees and views of processes, crashes and states, for front ends. OTP: observer."""

from midflight.observer.call_trace import CallEvent, CallTrace
from midflight.observer.crash_record import CrashRecord
from midflight.observer.crashes import Crashes, Restarted, editable
from midflight.observer.evaluate import evaluate, run_aside
from midflight.observer.flame import flame_svg
from midflight.observer.function_names import NamedFunction, function_named
from midflight.observer.holdings import Holdings, holdings_of
from midflight.observer.looking import look_at, parts_of
from midflight.observer.moving import MovedOne, move_one
from midflight.observer.printing import Printed, printed, printed_items
from midflight.observer.process_rows import COLUMNS, KINDS, Choice, ProcessLocation, Row, place_of, row_of, rows_of
from midflight.observer.process_tree import Node, tree
from midflight.observer.process_view import FrameView, Kin, ProcessView, State, messages_from, view_of
from midflight.observer.process_watch import ROWS_AN_ANSWER, Changes, Watch
from midflight.observer.processes import backtrace, name_table, process_table
from midflight.observer.profile import Function, Profile, ProfileRow, Sampler, Tally, take_profile
from midflight.observer.replacing import ReplacedState, replace_state
from midflight.observer.reports import ReportRow, Reports
from midflight.observer.states import StateText, server_in, state_text
from midflight.observer.task_view import TaskView, task_view
from midflight.observer.tasks import LoopRow, TaskRow, cancel_task, loop_rows, task_rows, task_stack

__all__ = [
    "COLUMNS",
    "KINDS",
    "ROWS_AN_ANSWER",
    "CallEvent",
    "CallTrace",
    "Changes",
    "Choice",
    "CrashRecord",
    "Crashes",
    "FrameView",
    "Function",
    "Holdings",
    "Kin",
    "LoopRow",
    "MovedOne",
    "NamedFunction",
    "Node",
    "Printed",
    "ProcessLocation",
    "ProcessView",
    "Profile",
    "ProfileRow",
    "ReplacedState",
    "ReportRow",
    "Reports",
    "Restarted",
    "Row",
    "Sampler",
    "State",
    "StateText",
    "Tally",
    "TaskRow",
    "TaskView",
    "Watch",
    "backtrace",
    "cancel_task",
    "editable",
    "evaluate",
    "flame_svg",
    "function_named",
    "holdings_of",
    "look_at",
    "loop_rows",
    "messages_from",
    "move_one",
    "name_table",
    "parts_of",
    "place_of",
    "printed",
    "printed_items",
    "process_table",
    "replace_state",
    "row_of",
    "rows_of",
    "run_aside",
    "server_in",
    "state_text",
    "take_profile",
    "task_rows",
    "task_stack",
    "task_view",
    "tree",
    "view_of",
]
