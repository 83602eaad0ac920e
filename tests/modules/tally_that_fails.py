"""A server that says its version and its state. This version's code_change changes the state and then raises."""

from midflight import GenServer


class Tally(GenServer):
    def init(self, total=0):
        self.total = total

    def handle_call(self, request, client):
        return "failed", self.total

    async def code_change(self, old_vsn, extra):
        self.total = "spoilt"
        self.log.append("spoilt")
        raise ValueError(extra)
