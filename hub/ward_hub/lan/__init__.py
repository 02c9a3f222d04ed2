"""The way in over the hub's own network: a CoAP server that takes signed statements and recordings.

It is bounded in every direction: what one peer and all peers may send, hold, and have judged; what is kept of whom;
what goes back to whom. docs/protocol.md says what it answers, docs/adr/0011 why it is not aiocoap's server.
"""

from ward_hub.lan.server import LanServer

__all__ = ["LanServer"]
