"""A shop on SQLAlchemy: models, an engine and a session factory at module level, and a database in memory."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running, Start


class Shop(Running):
    """The shop with one customer who has bought, and one who has chosen."""

    folder = "sqlalchemy_shop"

    def begin(self) -> None:
        self.value("shop.choose('Ada', 'tea', 100)")
        self.value("shop.buy('Ada')")
        self.value("shop.choose('Bob', 'milk', 50)")

    def state(self) -> object:
        """The database is in memory: it is there as long as the engine's one connection."""
        return self.value("(shop.counted(), list(shop.carts), len(shop.carts['Bob'].articles))")


def letter(shop: Shop) -> object:
    return shop.value("shop.letter('Ada')")


NOTES = """\
def notes():
    return [getattr(cart, "note", "none") for cart in carts.values()]


"""


class TestShop(EveryEdit):
    """The list, for the shop."""

    program = Shop
    handler = Edit(
        "shop.py",
        (('()}: {gross}"', '()}, please pay {gross}"'),),
        look=letter,
        before="Dear Ada: 119",
        after="Dear Ada, please pay 119",
        changed=("letter",),
        says=("carts", "engine"),
    )
    again = Edit(
        "shop.py",
        (("please pay", "kindly pay"),),
        look=letter,
        before="Dear Ada, please pay 119",
        after="Dear Ada, kindly pay 119",
        changed=("letter",),
        says=("carts", "engine"),
    )
    method = Edit(
        "shop.py",
        (("return sum(price for _, price in self.articles)", "return sum(price for _, price in self.articles) + 5"),),
        look=lambda shop: shop.value("shop.total_of('Bob')"),
        before=50,
        after=55,
        changed=("Cart.total",),
        says=("carts",),
    )
    constant = Edit(
        "shop.py",
        (("VAT = 19", "VAT = 7"),),
        look=letter,
        before="Dear Ada: 119",
        after="Dear Ada: 107",
        changed=("VAT",),
        says=("engine",),
    )
    added = Edit(
        "shop.py",
        (
            ("        self.articles = []\n", '        self.articles = []\n        self.note = ""\n'),
            ("def total_of(name)", NOTES + "def total_of(name)"),
        ),
        look=lambda shop: shop.value("shop.notes() if hasattr(shop, 'notes') else None"),
        before=None,
        after=["none"],
        added=("notes",),
        changed=("Cart.__init__",),
        says=("carts",),
    )
    renamed = Edit(
        "shop.py",
        (("def letter(", "def bill("),),
        look=lambda shop: shop.value("[name for name in ('letter', 'bill') if hasattr(shop, name)]"),
        before=["letter"],
        after=["bill"],
        added=("bill",),
        removed=("letter",),
        says=("engine",),
    )


class TestModels:
    """Models: a registry of others knows them by name, so their statements cannot run twice."""

    def test_a_method_of_a_model_is_renewed_where_the_class_stays(self, start: Start) -> None:
        """A customer of the database greets by the new text, and the report says so."""
        edit = Edit(
            "models.py", (('f"Dear {', 'f"Hello {'),), look=letter, before="Dear Ada: 119", after="Hello Ada: 119"
        )
        with start(Shop) as shop:
            assert letter(shop) == edit.before
            shop.write(edit)

            report = shop.load(edit.file)

            assert report["status"] == "loaded", report["text"]
            assert "Customer stays the same class" in report["text"]
            assert letter(shop) == edit.after
            shop.value("shop.choose('Eve', 'tea', 100)")
            shop.value("shop.buy('Eve')")

    def test_a_model_that_cannot_be_made_twice_is_refused_without_a_trace(self, start: Start) -> None:
        """What it is stands in the report; the models that run are found by name as before."""
        old, new = "    name: Mapped[str]\n", "    name: Mapped[str]\n    town: Mapped[str | None]\n"
        edit = Edit("models.py", ((old, new),), look=letter, before="Dear Ada: 119", after=None)
        with start(Shop) as shop:
            whole = shop.root.joinpath(edit.file).read_text(encoding="utf-8")
            shop.write(edit)

            report = shop.load(edit.file)

            assert report["status"] == "failed", report["text"]
            assert "cannot run twice: class Customer" in report["text"]
            assert letter(shop) == edit.before
            shop.value("shop.choose('Eve', 'tea', 100)")
            shop.value("shop.buy('Eve')")
            shop.root.joinpath(edit.file).write_text(whole + "# a comment\n", encoding="utf-8")
            assert shop.load(edit.file)["status"] == "loaded"
            assert letter(shop) == edit.before
