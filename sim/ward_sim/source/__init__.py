"""A simulated source information system, as a CoAP server: beat, trust documents, feed, media, receipts."""

from ward_sim.source.chains import ChainBreak
from ward_sim.source.channels import Channels
from ward_sim.source.errors import RefusedStatement
from ward_sim.source.source import Source

__all__ = ["ChainBreak", "Channels", "RefusedStatement", "Source"]
