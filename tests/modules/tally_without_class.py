"""A version in which there is no Tally any more."""

from midflight import GenServer


class Other(GenServer):
    def handle_call(self, request, client):
        return "other", request
