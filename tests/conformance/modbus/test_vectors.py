"""The search for answers against exchanges worked by hand from the standard and from a maker's manual.

Every vector is fed whole, byte by byte, behind and before other bytes, and damaged in every bit.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    ReadWriteMultipleRegistersRequest,
)

from ward_hw.bus.answer import Expected
from ward_hw.drivers.timed_dialect import FlashRequest


@dataclass(frozen=True, slots=True)
class Exchange:
    what: str
    request: bytes
    answer: bytes


def exchanges() -> list[Exchange]:
    with Path(__file__).with_name("vectors.toml").open("rb") as file:
        tables = tomllib.load(file)["exchange"]
    return [
        Exchange(table["what"], bytes.fromhex(table["request"]), bytes.fromhex(table["answer"])) for table in tables
    ]


EXCHANGES = exchanges()
each = pytest.mark.parametrize("exchange", EXCHANGES, ids=[exchange.what for exchange in EXCHANGES])

BITS = [bool(0xCD >> n & 1) for n in range(8)] + [True, False]
MESSAGES: list[tuple[int, ModbusPDU]] = [
    (17, ReadCoilsRequest(address=19, count=37)),
    (17, ReadHoldingRegistersRequest(address=107, count=3)),
    (17, WriteSingleCoilRequest(address=172, bits=[True])),
    (17, WriteMultipleCoilsRequest(address=19, bits=BITS)),
    (17, ReadInputRegistersRequest(address=8, count=1)),
    (1, FlashRequest(0x0200, 7)),
    (
        17,
        ReadWriteMultipleRegistersRequest(read_address=3, read_count=6, write_address=14, write_registers=[255] * 3),
    ),
]


@pytest.mark.parametrize(
    ("exchange", "message"), list(zip(EXCHANGES, MESSAGES, strict=True)), ids=[exchange.what for exchange in EXCHANGES]
)
def test_our_requests_are_those_of_the_documents(exchange: Exchange, message: tuple[int, ModbusPDU]) -> None:
    unit, pdu = message
    pdu.dev_id = unit
    assert FramerRTU(DecodePDU(False)).buildFrame(pdu) == exchange.request


@each
def test_the_answer_is_found_whole_and_in_any_company(exchange: Exchange) -> None:
    expected = Expected.to(exchange.request)
    size = len(exchange.answer)
    assert expected.find(exchange.answer) == (size, exchange.answer)
    assert expected.find(exchange.answer + b"\x11\x01") == (size, exchange.answer)
    for before in (b"\0", b"\xff\0\xff", bytes((exchange.request[0],)) * 3, b"\x05\x03\x02\x00\x01\x02\x03"):
        assert expected.find(before + exchange.answer) == (len(before) + size, exchange.answer)


@each
def test_the_answer_is_found_with_its_last_byte_and_not_before(exchange: Exchange) -> None:
    expected = Expected.to(exchange.request)
    for length in range(len(exchange.answer)):
        assert expected.find(exchange.answer[:length]) is None


@each
def test_no_single_wrong_bit_is_let_through(exchange: Exchange) -> None:
    expected = Expected.to(exchange.request)
    for bit in range(len(exchange.answer) * 8):
        damaged = bytearray(exchange.answer)
        damaged[bit // 8] ^= 1 << bit % 8
        assert expected.find(bytes(damaged)) is None


@each
@pytest.mark.parametrize("other", EXCHANGES, ids=lambda other: other.what)
def test_no_answer_fits_another_request(exchange: Exchange, other: Exchange) -> None:
    if other is not exchange:
        assert Expected.to(exchange.request).find(other.answer) is None


@each
def test_behind_its_own_echo_only(exchange: Exchange) -> None:
    expected = Expected.to(exchange.request)
    assert expected.find(exchange.request, echo=True) is None
    assert expected.find(exchange.answer, echo=True) is None
    both = exchange.request + exchange.answer
    assert expected.find(both, echo=True) == (len(both), exchange.answer)
