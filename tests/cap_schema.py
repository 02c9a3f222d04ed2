"""The schema of CAP 1.2 as libxml2 applies it: a judge of alerts that shares nothing with our reader.

Ref: OASIS CAP-v1.2-os, §3.4.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

etree: Any = importlib.import_module("lxml.etree")  # ships no types
VECTORS = Path(__file__).parent / "conformance" / "vectors" / "cap"
SCHEMA = etree.XMLSchema(etree.parse(VECTORS / "cap12.xsd"))


def faults(data: bytes) -> list[str]:
    """What the schema has against an alert; empty where it is valid."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        alert = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        return [str(error)]
    SCHEMA.validate(alert)
    return [str(one.message) for one in SCHEMA.error_log]
