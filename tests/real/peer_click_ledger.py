"""A ledger with click: commands in a group, made by decorators, called from a console that goes on."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running


class Ledger(Running):
    """The ledger with one entry."""

    folder = "click_ledger"

    def begin(self) -> None:
        typed(self, "add Ada 5")

    def state(self) -> object:
        """The sum; looks add nothing to it."""
        return self.value("(sum(ledger.entries), list(ledger.accounts))")


def typed(ledger: Ledger, line: str) -> object:
    return ledger.value(f"app.type_line({line!r})")


def add(ledger: Ledger) -> object:
    return typed(ledger, "add Ada 0")


COUNT = """\
@cli.command()
def count():
    return f"count {len(accounts)}"


"""


class TestLedger(EveryEdit):
    """The list, for the ledger."""

    program = Ledger
    handler = Edit(
        "ledger.py",
        (('f"added {', 'f"noted {'),),
        look=add,
        before="added 0 EUR",
        after="noted 0 EUR",
        changed=("add",),
        says=("accounts", "entries"),
    )
    again = Edit(
        "ledger.py",
        (('f"noted {', 'f"wrote {'),),
        look=add,
        before="noted 0 EUR",
        after="wrote 0 EUR",
        changed=("add",),
        says=("accounts", "entries"),
    )
    method = Edit(
        "ledger.py",
        (("{self.name} has {", "{self.name} owns {"),),
        look=lambda ledger: typed(ledger, "show Ada"),
        before="Ada has 5",
        after="Ada owns 5",
        changed=("Account.shown",),
        says=("accounts",),
    )
    constant = Edit(
        "ledger.py",
        (('"EUR"', '"CHF"'),),
        look=add,
        before="added 0 EUR",
        after="added 0 CHF",
        changed=("CURRENCY",),
    )
    added = Edit(
        "ledger.py",
        (("@cli.command()\ndef total()", COUNT + "@cli.command()\ndef total()"),),
        look=lambda ledger: typed(ledger, "count"),
        before="NoSuchCommand",
        after="count 1",
        added=("count",),
    )
    renamed = Edit(
        "ledger.py",
        (("def total(", "def balance("),),
        look=lambda ledger: [typed(ledger, "total"), typed(ledger, "balance")],
        before=[5, "NoSuchCommand"],
        after=["NoSuchCommand", 5],
        added=("balance",),
        removed=("total",),
    )
