"""Orders with blinker: a function and bound methods listen, both held weakly by a signal that has a name."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running, Start


class Orders(Running):
    """The orders with one mailer, who has had mail."""

    folder = "blinker_orders"

    def begin(self) -> None:
        place(self)

    def state(self) -> object:
        """The mailer is there and hears; each look is an order, so it is told what it has had since."""
        before = self.value("orders.sent()")["ada"]
        place(self)
        return self.value("orders.sent()")["ada"] - before


def place(orders: Orders) -> object:
    return orders.value("orders.place(120)")


class TestOrders(EveryEdit):
    """The list, for the orders."""

    program = Orders
    handler = Edit(
        "orders.py",
        (('f"noted {', 'f"seen {'),),
        look=place,
        before=["mail to ada: 120", "noted 120!"],
        after=["mail to ada: 120", "seen 120!"],
        changed=("note",),
        says=("mailers",),
    )
    again = Edit(
        "orders.py",
        (('f"seen {', 'f"read {'),),
        look=place,
        before=["mail to ada: 120", "seen 120!"],
        after=["mail to ada: 120", "read 120!"],
        changed=("note",),
        says=("mailers",),
    )
    method = Edit(
        "orders.py",
        (('f"mail to {', 'f"letter to {'),),
        look=place,
        before=["mail to ada: 120", "noted 120!"],
        after=["letter to ada: 120", "noted 120!"],
        changed=("Mailer.on_placed",),
        says=("mailers",),
    )
    constant = Edit(
        "orders.py",
        (("URGENT = 100", "URGENT = 200"),),
        look=place,
        before=["mail to ada: 120", "noted 120!"],
        after=["mail to ada: 120", "noted 120"],
        changed=("URGENT",),
    )
    added = Edit(
        "orders.py",
        (
            (
                "def place(total)",
                '@placed.connect\ndef count(sender, total):\n    log.append("counted")\n\n\ndef place(total)',
            ),
        ),
        look=place,
        before=["mail to ada: 120", "noted 120!"],
        after=["counted", "mail to ada: 120", "noted 120!"],
        added=("count",),
    )
    renamed = Edit(
        "orders.py",
        (("def note(", "def remember("), ('f"noted {', 'f"remembered {')),
        look=place,
        before=["mail to ada: 120", "noted 120!"],
        after=["mail to ada: 120", "remembered 120!"],
        added=("remember",),
        removed=("note",),
    )

    def test_a_listener_of_a_kept_class_stays_and_leaves(self, start: Start) -> None:
        """Its bound method is held weakly: a collection must not take it, and `disconnect` must find it."""
        with start(Orders) as orders:
            for each in (self.handler, self.again):
                orders.write(each)
                assert orders.load(each.file)["status"] == "loaded"
            assert orders.value("__import__('gc').collect() >= 0")

            assert orders.value("orders.place(1)") == ["mail to ada: 1", "read 1"]
            orders.value("orders.unsubscribe('ada')")
            assert orders.value("orders.place(1)") == ["read 1"]
