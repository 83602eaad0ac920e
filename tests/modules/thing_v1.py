"""Calls of every kind, by what they reach. What changes: the number that `which` returns, and `only_in_1`."""
import thing


def which():
    return 1


def only_in_1():
    return 1


def local():
    return which()


def qualified():
    return thing.which()


def make_closure():
    def closure():
        return which(), thing.which()

    return closure


class Thing:
    def which(self):
        return which()


async def wait_for(future):
    await future
    return which(), thing.which()
