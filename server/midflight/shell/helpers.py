"""The functions that only an input of the shell has: v, e, h, b, f, flush, i, regs and the rest.

The first line of each docstring is what `help()` shows. OTP: c.erl and shell.erl, whose names these are.
"""

from __future__ import annotations

import os
import pydoc
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from midflight import code
from midflight.kernel import Pid, current_process, describe, exit, self_
from midflight.observer import backtrace, name_table, process_table
from midflight.shell import machine, modules
from midflight.shell.evaluator import Later
from midflight.text import medium

if TYPE_CHECKING:
    from midflight.shell.session import Session

__all__ = ["Helpers"]

_PACKAGE = __name__.partition(".")[0]
_PID = re.compile(r"<?(?:(\d+)\.(?=\d+\.))?(\d+)(?:\.0)?>?|<?0\.(\d+)>?")


class Helpers:
    """The helpers of one shell; they print to its sink."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def names(self) -> dict[str, Any]:
        """Return all that an input knows from the start, by name: Midflight's public names, then the helpers."""
        midflight = sys.modules[_PACKAGE]  # by name: its list of public names is made of the layers above this one too
        public = {name: getattr(midflight, name) for name in midflight.__all__}
        return public | {"midflight": midflight, "code": code, "quit": self.q} | self._own()

    def _own(self) -> dict[str, Callable[..., Any]]:
        return {
            "v": self.v, "e": self.e, "h": self.h, "b": self.b, "f": self.f,
            "self": self.self, "flush": self.flush, "i": self.i, "regs": self.regs, "nregs": self.nregs,
            "pid": self.pid, "bt": self.bt,
            "c": self.c, "l": self.l, "lm": self.lm, "m": self.m,
            "memory": self.memory, "uptime": self.uptime, "ls": self.ls, "pwd": self.pwd, "cd": self.cd,
            "help": self.help, "q": self.q, "exit": self.exit,
        }  # fmt: skip

    def _print(self, text: str) -> None:
        self._session.sink.write(text if text.endswith("\n") else text + "\n")

    # --- Jobs and bindings ------------------------------------------------------------------------------

    def v(self, number: int = -1) -> object:
        """v(N): the value of job N, v(-1) of the last; of a failed job its exception.

        Raises: UnknownJob, which uses up no number.
        """
        return self._session.history.job(number).value

    def e(self, number: int = -1) -> object:
        """e(N): evaluate job N again, as if it were typed; as a whole input only.

        Raises: TypeError, since it was used inside an expression.
        """
        raise TypeError(f"e({number}) is an input of its own, not part of one; v({number}) is the value of that job")

    def h(self) -> None:
        """h(): the inputs so far and their values."""
        for job in self._session.history:
            place = "" if job.module is None else f"{job.module} "
            self._print(f"{place}{job.number}: {job.text.strip()}\n-> {medium(job.value)}")

    def b(self) -> None:
        """b(): the bindings."""
        for name, value in self._session.bindings.items():
            self._print(f"{name} = {medium(value)}")

    def f(self, name: str | None = None) -> None:
        """f(): forget all bindings; f("x"): only that one."""
        self._session.bindings.forget(name)

    # --- Processes ----------------------------------------------------------------------------------------

    def self(self) -> Pid:
        """self(): the pid of the shell's process."""
        return self_()

    def flush(self) -> None:
        """flush(): print and drop the messages that the shell has got."""
        mailbox = current_process("flush()").mailbox
        while mailbox:
            self._print(f"Shell got {medium(mailbox.popleft())}")

    def i(self, *numbers: int) -> None:
        """i(): the processes, each with its module, version, line and status; i(0, 37, 0): all that is known of one.

        Raises: TypeError or ValueError for what is not the three numbers of a pid.
        """
        if not numbers:
            self._print(process_table(self._session.scheduler))
            return
        pid = self.pid(*numbers)
        if pid.process is None:
            self._print(f"{pid!r} is not alive")
            return
        if pid.node:
            self._print(f"{pid!r} is of another node, and cluster.call_function(node, process_info, pid) asks there")
            return
        info = describe(self._session.scheduler, pid.process)
        wide = max(map(len, info))
        self._print("\n".join(f"{name.ljust(wide)}  {medium(value)}" for name, value in info.items()))

    def regs(self) -> None:
        """regs(): the registered names."""
        self._print(name_table(self._session.scheduler))

    def nregs(self) -> None:
        """nregs(): the registered names of all nodes, of which there is one: the same as regs()."""
        self.regs()

    def pid(self, text: str | int, *numbers: int) -> Pid:
        """pid("0.37.0"), pid(0, 37, 0): the process of that number, alive or not; pid("1.5.0"): one of another node.

        Raises: ValueError for a text that is not a pid, or a node that is not connected; TypeError for another count of
        numbers than one or three.
        """
        if numbers:
            if len(numbers) != 2:
                raise TypeError(f"a pid has three numbers, as in pid(0, 37, 0), not {1 + len(numbers)}")
            text = f"{text}.{numbers[0]}.{numbers[1]}"
        match = _PID.fullmatch(str(text).strip())
        if match is None:
            raise ValueError(f"a pid is written as '0.37.0', not {text!r}")
        node, number = int(match[1] or 0), int(match[2] or match[3])
        if node:
            nodes = self._session.scheduler.nodes
            found = None if nodes is None else nodes.pid_shown(node, number)
            if found is None:
                raise ValueError(f"no node is connected that is shown as <{node}.N.0>; cluster.nodes() lists them")
            return found
        process = self._session.scheduler.processes.get(number)
        return Pid(number) if process is None else process.pid

    def bt(self, pid: Pid | str | int) -> None:
        """bt(pid): where a process is now, outermost call first."""
        if not isinstance(pid, Pid):
            named = self._session.scheduler.names.get(str(pid))
            pid = self.pid(pid) if named is None else named.pid
        self._print(backtrace(self._session.scheduler, pid))

    # --- Code ---------------------------------------------------------------------------------------------

    def c(self, module: str) -> Later:
        """c("mod"): compile and load a module, by its name or its file, as a new version."""
        return Later(modules.load, module, self._print)

    def l(self, module: str) -> Later:  # noqa: E743  # Erlang's name for it
        """l("mod"): the same as c("mod")."""
        return Later(modules.load, module, self._print)

    def lm(self) -> Later:
        """lm(): load every module whose file has changed since, all of them or none, with their servers' states."""
        return Later(modules.load_modified, self._print)

    def m(self, module: str | None = None) -> None:
        """m(): the loaded modules; m("mod"): the versions of one, their processes, and its definitions."""
        self._print(modules.table() if module is None else modules.description(module))

    # --- The machine --------------------------------------------------------------------------------------

    def memory(self) -> dict[str, int]:
        """memory(): the memory that the server's Python has, in bytes, and how many objects."""
        return machine.memory()

    def uptime(self) -> None:
        """uptime(): how long the server has served shells."""
        self._print(machine.uptime())

    def ls(self, folder: str = ".") -> None:
        """ls(): the files of the server's current folder; ls("folder"): those of another. Raises: OSError."""
        self._print(machine.listing(folder))

    def pwd(self) -> None:
        """pwd(): the server's current folder."""
        self._print(os.getcwd())

    def cd(self, folder: str | None = None) -> None:
        """cd("folder"): make it the server's current folder, of all its processes; cd(): the same as pwd().

        Raises: OSError if there is none of that name; it stays where it was.
        """
        self._print(os.getcwd() if folder is None else machine.change_folder(folder))

    # --- The shell itself -----------------------------------------------------------------------------------

    def help(self, about: object = None) -> None:
        """help(): this list; help(x): the documentation of x."""
        if about is not None:
            self._print(pydoc.render_doc(about, renderer=pydoc.plaintext))  # type: ignore[attr-defined]  # typeshed lacks it
            return
        for helper in self._own().values():
            self._print((helper.__doc__ or "").partition("\n")[0])
        self._print("\nAll of midflight is there by name, and every loaded module. `await` works anywhere.")

    def exit(self, pid: Pid | None = None, reason: object = "shutdown") -> None:
        """exit(pid, reason): end a process, with reason "shutdown" unless given. exit(): how to leave.

        The public `exit` sends "normal" if no reason is given, which ends nobody.
        """
        if pid is None:
            self.q()
        else:
            exit(pid, reason)

    def q(self) -> None:
        """q(): how to leave."""
        self._print(
            "The server and its processes run on without this shell: close it in the editor. "
            "`midflight stop` ends the server."
        )
