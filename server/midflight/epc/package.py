"""The names that are taken of the PyPI `epc` package, for both ends but the server's class.

It imports `xmlrpc.server` for one class of its server, and that imports pydoc, an HTTP server and a mail parser: half
of what `midflight ps` would take. So that is imported when the server's class is made.
"""

from midflight.lazy import put_off

with put_off("xmlrpc.server"):
    from epc.client import EPCClient
    from epc.handler import BaseRemoteError, EPCHandler, encode_string

__all__ = ["BaseRemoteError", "EPCClient", "EPCHandler", "encode_string"]
