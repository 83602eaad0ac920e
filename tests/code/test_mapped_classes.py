"""Models of SQLAlchemy: they stay the same classes, for their registry takes each once; their methods are renewed."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from midflight.code import LoadError

TEXT = '''
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, validates

class Base(DeclarativeBase):
    """The base."""

    def named(self):
        return "somebody"

def dear(name):
    return f"Dear {name}"

class Customer(Base):
    """A customer."""
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")

    def greeting(self):
        """Greet."""
        return dear(self.name)

    def gone(self):
        return "there"

    @property
    def size(self):
        return len(self.orders)

    @validates("name")
    def checked(self, key, value):
        return value.strip()

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")
'''

ADDED = (
    '    def shout(self, mark="!"):\n        return super().named().upper() + self.greeting() + mark\n\n    @property\n'
)

EDITS = {
    "the body of a method": ("return dear(self.name)", "return dear(self.name) + ','", "greeting()", "Dear Ada,"),
    "a function that a method reads": ('f"Dear {name}"', 'f"Hi {name}"', "greeting()", "Hi Ada"),
    "a method of the base": ('return "somebody"', 'return "anybody"', "named()", "anybody"),
    "a property": ("return len(self.orders)", "return len(self.orders) + 1", "size", 2),
    "a parameter": ("def greeting(self):", "def greeting(self, word='now'):", "greeting.__defaults__", ("now",)),
    "a new method": ("    @property\n", ADDED, "shout()", "SOMEBODYDear Ada!"),
    "a docstring": ('"""Greet."""', '"""Greet kindly."""', "greeting()", "Dear Ada"),
    "super() in a method": (
        "return dear(self.name)",
        "return dear(super().named())",
        "greeting()",
        "Dear somebody",
    ),
    "a method that a decorator of the library has": (
        "value.strip()",
        "value.strip().upper()",
        "greeting()",
        "Dear Ada",
    ),
}


@pytest.fixture
def session(project):
    project.load_text("models", TEXT)
    models = sys.modules["models"]
    engine = create_engine("sqlite://")
    models.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(models.Customer(id=1, name=" Ada ", orders=[models.Order(id=1)]))
        session.flush()
        yield session
    engine.dispose()


def value(session, expression):
    """Return an expression of a customer, who is looked up by the class as it is now."""
    models = sys.modules["models"]
    customer = session.scalars(select(models.Customer)).one()
    return eval(f"customer.{expression}", {"customer": customer})


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_method_takes_and_the_class_stays(project, session, edit):
    """Objects that are there have it too, the tables are the same, and other classes are still related to it."""
    old, new, expression, expected = EDITS[edit]
    models = sys.modules["models"]
    customer, held = models.Customer, session.scalars(select(models.Customer)).one()

    report = project.load_text("models", TEXT.replace(old, new))

    assert sys.modules["models"].Customer is customer
    assert type(held) is customer
    assert value(session, expression) == expected
    assert held.orders[0].customer is held
    assert report.superseded == ()


def test_a_validator_is_renewed(project, session):
    """The mapper has the function itself."""
    project.load_text("models", TEXT.replace("value.strip()", "value.strip().upper()"))

    held = session.scalars(select(sys.modules["models"].Customer)).one()
    held.name = " eva "

    assert held.name == "EVA"


def test_a_method_that_is_gone_from_the_text_is_gone(project, session):
    """And comes back with the version before."""
    project.load_text("models", TEXT.replace('    def gone(self):\n        return "there"\n', ""))
    assert not hasattr(sys.modules["models"].Customer, "gone")

    project.load_text("models", TEXT)

    assert value(session, "gone()") == "there"


def test_the_report_says_that_the_methods_were_renewed_in_place(project, session):
    """Processes in older versions have the new methods too, which is not so of other classes."""
    report = project.load_text("models", TEXT.replace("return dear(self.name)", "return 1"))

    (note,) = [each for each in report.warnings if each.code == "fixed"]
    assert note.severity == "note"
    assert note.message.startswith("Customer stays the same class, for a library knows it by name")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    name: Mapped[str]\n", "    name: Mapped[str]\n    town: Mapped[str | None]\n"),
        ('__tablename__ = "orders"', '__tablename__ = "order"'),
        ("class Order(Base):", "class Order(Base, Mixin):"),
    ],
    ids=["a column", "a table", "a base"],
)
def test_what_is_more_than_methods_is_refused(project, session, old, new):
    """The registry would not take the class; nothing of it has changed."""
    text = TEXT.replace("class Customer", "class Mixin:\n    pass\n\nclass Customer").replace(old, new)

    with pytest.raises(LoadError, match="cannot run twice"):
        project.load_text("models", text.replace("return dear(self.name)", "return 1"))

    assert value(session, "greeting()") == "Dear Ada"


def test_a_default_that_raises_refuses_the_load(project, session):
    """As an error of the body."""
    with pytest.raises(LoadError, match="ZeroDivisionError"):
        project.load_text("models", TEXT.replace("def greeting(self):", "def greeting(self, word=1 / 0):"))

    assert value(session, "greeting()") == "Dear Ada"
