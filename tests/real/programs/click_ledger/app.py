"""The ledger; lines come from a console."""

import asyncio

import click
import ledger


def type_line(line):
    try:
        return ledger.cli.main(line.split(), standalone_mode=False)
    except click.UsageError as error:
        return type(error).__name__


async def start():
    print("ready")
    await asyncio.Event().wait()
