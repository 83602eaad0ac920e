"""A ledger with a command line."""

import click

CURRENCY = "EUR"

entries = []
accounts = {}


class Account:
    """What one name has."""

    def __init__(self, name):
        self.name = name
        self.sum = 0

    def shown(self):
        return f"{self.name} has {self.sum}"


@click.group()
def cli():
    pass


@cli.command()
@click.argument("name")
@click.argument("amount", type=int)
def add(name, amount):
    entries.append(amount)
    accounts.setdefault(name, Account(name)).sum += amount
    return f"added {amount} {CURRENCY}"


@cli.command()
@click.argument("name")
def show(name):
    return accounts[name].shown()


@cli.command()
def total():
    return sum(entries)
