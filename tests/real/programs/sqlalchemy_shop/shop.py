"""A shop on a database in memory."""

from models import Base, Customer, Order
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool

VAT = 19

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Session = sessionmaker(engine)
carts = {}


class Cart:
    """What a customer has chosen and not bought yet."""

    def __init__(self, name):
        self.name = name
        self.articles = []

    def add(self, article, price):
        self.articles.append((article, price))

    def total(self):
        return sum(price for _, price in self.articles)


def open_shop():
    Base.metadata.create_all(engine)


def choose(name, article, price):
    cart = carts.setdefault(name, Cart(name))
    cart.add(article, price)
    return cart.total()


def total_of(name):
    return carts[name].total()


def buy(name):
    cart = carts.pop(name)
    with Session.begin() as session:
        customer = session.scalar(select(Customer).filter_by(name=name)) or Customer(name=name)
        customer.orders += [Order(article=article, price=price) for article, price in cart.articles]
        session.add(customer)


def letter(name):
    with Session() as session:
        customer = session.scalar(select(Customer).filter_by(name=name))
        gross = sum(order.price for order in customer.orders) * (100 + VAT) // 100
        return f"{customer.greeting()}: {gross}"


def counted():
    with Session() as session:
        return session.scalar(select(func.count(Order.id)))
