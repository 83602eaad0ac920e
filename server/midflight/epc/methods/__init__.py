"""The methods of the wire: a name to a call, and values to property lists. No decision is taken here."""

from __future__ import annotations

from midflight.epc.method import Method
from midflight.epc.methods.application import ApplicationMethods
from midflight.epc.methods.breakpoint import BreakpointMethods
from midflight.epc.methods.calls import CallMethods
from midflight.epc.methods.code import CodeMethods
from midflight.epc.methods.code_look import CodeLookMethods
from midflight.epc.methods.crash import CrashMethods, crash_plist, stuck_plist
from midflight.epc.methods.debug import DebugMethods
from midflight.epc.methods.held import HeldMethods
from midflight.epc.methods.hold import HoldMethods
from midflight.epc.methods.inspect import InspectMethods
from midflight.epc.methods.loading import Loading, stale_plist
from midflight.epc.methods.look import LookMethods
from midflight.epc.methods.node import NodeMethods
from midflight.epc.methods.plan import PlanMethods
from midflight.epc.methods.process import ProcessMethods
from midflight.epc.methods.process_list import ProcessListMethods
from midflight.epc.methods.process_view import ProcessViewMethods
from midflight.epc.methods.profile import ProfileMethods
from midflight.epc.methods.report import ReportMethods
from midflight.epc.methods.saved import SavedMethods
from midflight.epc.methods.server import ServerMethods, describe
from midflight.epc.methods.shell import ShellMethods
from midflight.epc.methods.store import StoreMethods
from midflight.epc.methods.task import TaskMethods
from midflight.epc.methods.together import TogetherMethods
from midflight.epc.methods.trace import TraceMethods
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services

__all__ = ["crash_plist", "describe", "methods_of", "stale_plist", "stuck_plist"]


def methods_of(services: Services, connection: ServerConnection) -> dict[str, Method]:
    """Return the methods that `connection` may call, by name."""
    shell = ShellMethods(services, connection)
    look = LookMethods(shell.session)
    loading = Loading(connection, shell.output)
    code = CodeMethods(services, loading)
    parts = (
        ServerMethods(services, connection).methods(),
        code.methods(),
        PlanMethods(code).methods(),
        TogetherMethods(services, loading).methods(),
        SavedMethods(services, loading).methods(),
        CodeLookMethods(loading).methods(),
        HeldMethods(loading).methods(),
        ProcessMethods(services, connection, shell.output).methods(),
        ProcessListMethods(services).methods(),
        HoldMethods(services).methods(),
        ProcessViewMethods(services).methods(),
        TaskMethods().methods(),
        ApplicationMethods(services).methods(),
        NodeMethods(services).methods(),
        ProfileMethods().methods(),
        CrashMethods(services, shell.output).methods(),
        ReportMethods(services).methods(),
        StoreMethods(services).methods(),
        TraceMethods(services, connection).methods(),
        DebugMethods(services, connection).methods(),
        CallMethods(services, connection).methods(),
        BreakpointMethods(services, connection, shell.output).methods(),
        shell.methods(),
        look.methods(),
        InspectMethods(services, connection, look.scope, shell.session).methods(),
    )
    return {method.name: method for methods in parts for method in methods}
