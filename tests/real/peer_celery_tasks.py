"""Tasks of celery, run where they are called: a registry of celery's, filled by decorators."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running


class Tasks(Running):
    """The tasks, with an account that owes something."""

    folder = "celery_tasks"

    def begin(self) -> None:
        ask(self, "charge", "Ada", 5)

    def state(self) -> object:
        """The account; each look that charges it charges nothing."""
        return self.value("{name: account.owed for name, account in tasks.sums.items()}")


def ask(tasks: Tasks, *arguments: object) -> object:
    return tasks.value(f"tasks.ask{arguments!r}")


def gross(tasks: Tasks) -> object:
    return ask(tasks, "gross", 100)


REFUND = """\
@app.task
def refund(name):
    return f"{name} gets {sums[name].owed} back"


"""


class TestTasks(EveryEdit):
    """The list, for the tasks."""

    program = Tasks
    handler = Edit(
        "tasks.py",
        (("// 100} gross", "// 100} in all"),),
        look=gross,
        before="120 gross",
        after="120 in all",
        changed=("gross",),
        says=("sums",),
    )
    again = Edit(
        "tasks.py",
        (("// 100} in all", "// 100} to pay"),),
        look=gross,
        before="120 in all",
        after="120 to pay",
        changed=("gross",),
        says=("sums",),
    )
    method = Edit(
        "tasks.py",
        (('f"owes {', 'f"has to pay {'),),
        look=lambda tasks: ask(tasks, "charge", "Ada", 0),
        before="owes 5",
        after="has to pay 5",
        changed=("Account.charge",),
        says=("sums",),
    )
    constant = Edit(
        "tasks.py",
        (("VAT = 20", "VAT = 7"),),
        look=gross,
        before="120 gross",
        after="107 gross",
        changed=("VAT",),
    )
    added = Edit(
        "tasks.py",
        (("def ask(", REFUND + "def ask("),),
        look=lambda tasks: ask(tasks, "refund", "Ada"),
        before=None,
        after="Ada gets 5 back",
        added=("refund",),
    )
    renamed = Edit(
        "tasks.py",
        (("def gross(", "def with_tax("),),
        look=lambda tasks: ask(tasks, "with_tax", 100),
        before=None,
        after="120 gross",
        added=("with_tax",),
        removed=("gross",),
    )
