"""A server that says its version and its state. Version 1: the state is a number and a list."""

from midflight import GenServer

__vsn__ = 1


class Tally(GenServer):
    def init(self, total=0):
        self.total = total
        self.log = []
        self.busy = False

    async def handle_call(self, request, client):
        self.log.append(request)
        return 1, self.total

    def handle_cast(self, message):
        self.total += message


async def start(total=0):
    return await Tally.start(total)
