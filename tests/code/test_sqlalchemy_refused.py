"""A refused model of SQLAlchemy is in no registry any more: the version before works as it did."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy.orm import configure_mappers

from midflight import code

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

ORM = """
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass
"""

MODELS = """
from sqlalchemy.orm import Mapped, mapped_column
from orm import Base


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
"""

ORDERS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship
from orm import Base


class Order(Base):
    __tablename__ = "order"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer = relationship("Customer")
"""


@pytest.fixture
def orm(project):
    """Load a base."""
    project.load_text("orm", ORM)
    return project


def refused(project, text):
    """Load a text that is refused; return the error."""
    with pytest.raises(code.LoadError) as caught:
        project.load_text("models", text)
    return caught.value


def taken(error):
    """What the report says that was taken back."""
    return " ".join(each.message for each in error.report.refusals if each.code == "taken-back")


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "    name: Mapped[str]\n",  # the table is there already
        lambda text: text.replace("    id:", '    __table_args__ = {"extend_existing": True}\n    id:') + "1 / 0\n",
    ],
)
def test_a_name_means_the_class_that_it_meant(orm, edit):
    """No "Multiple classes found for path", though the error is still held."""
    orm.load_text("models", MODELS)

    error = refused(orm, edit(MODELS))
    orm.load_text("orders", ORDERS)
    configure_mappers()

    models = sys.modules["models"]
    assert sys.modules["orders"].Order.customer.property.mapper.class_ is models.Customer
    assert "class Customer in SQLAlchemy's registry" in taken(error)


@pytest.mark.parametrize("end", ["1 / 0\n", "def f():\n    return nonesuch, globals()\n"])
def test_the_mended_text_of_a_new_model_is_loaded(orm, end):
    """Its table is not defined already."""
    error = refused(orm, MODELS + end)

    assert orm.load_text("models", MODELS).version == 1
    assert "table customer in SQLAlchemy's metadata" in taken(error)


def test_an_identity_means_the_class_that_it_meant(orm):
    """Rows of a polymorphic base are not made objects of a refused class."""
    base = MODELS + '    kind: Mapped[str]\n    __mapper_args__ = {"polymorphic_on": "kind"}\n'
    vip = 'from models import Customer\n\nclass Vip(Customer):\n    __mapper_args__ = {"polymorphic_identity": "vip"}\n'
    orm.load_text("models", base)
    orm.load_text("vips", vip)
    mapper = sys.modules["models"].Customer.__mapper__

    with pytest.raises(code.LoadError):
        orm.load_text("vips", vip + "    x = 1\n\n1 / 0\n")

    assert mapper.polymorphic_map["vip"].class_ is sys.modules["vips"].Vip


def test_columns_that_were_added_to_a_table_are_named(orm):
    """A table that was extended cannot be what it was."""
    orm.load_text("models", MODELS)

    extended = MODELS.replace("    id:", '    __table_args__ = {"extend_existing": True}\n    id:')
    error = refused(orm, extended + "    name: Mapped[str]\n\n\n1 / 0\n")

    left = " ".join(each.message for each in error.report.refusals if each.code == "left-behind")
    assert "the columns of table customer" in left
