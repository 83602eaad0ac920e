"""A server that says its version and its state. Version 2: the state is a dict."""

from midflight import GenServer

__vsn__ = 2


class Tally(GenServer):
    def init(self, total=0):
        self.total = {"sum": total}
        self.log = []

    def handle_call(self, request, client):
        return 2, self.total

    def code_change(self, old_vsn, extra):
        self.log.append(("code_change", old_vsn, extra))
        self.total = {"sum": self.total}


async def start(total=0):
    return await Tally.start(total)
