"""What a source refuses."""

from __future__ import annotations

from aiocoap.numbers.codes import Code


class RefusedStatement(ValueError):
    """A statement that a careful source does not take; `code` is the CoAP code that says so."""

    def __init__(self, code: Code, why: str) -> None:
        super().__init__(why)
        self.code = code
