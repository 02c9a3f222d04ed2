"""What a bus tells its observer: how each request ended, once, and what came when nobody was asked."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import pytest
from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from tests.sim.hw.units import Amp8, framed
from tests.sim.hw.virtual import Line, Reply, Unit, run

from ward_hw.bus import ModbusBus
from ward_hw.bus.outcome import Outcome
from ward_hw.errors import HardwareError

ANSWER = framed(bytes((17, 4, 2, 0, 5)))


@dataclass
class Whole(Line):
    """Delivers each reply in one piece, as an adapter with a buffer does."""

    def put(self, data: bytes, after: float = 0.0) -> None:
        at = after + len(data) * self.character_s
        asyncio.get_running_loop().call_later(at, self._deliver, data)


@dataclass
class Seen:
    """An observer that writes down."""

    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def __call__(self, unit: int, outcome: Outcome, latency: float) -> None:
        self.outcomes.append((unit, outcome))
        self.latencies.append(latency)


def replies(*answers: list[Reply]) -> Unit:
    """A unit that gives these answers, one list to each request."""
    left = list(answers)
    return lambda _frame: left.pop(0) if left else []


async def ask(bus: ModbusBus, pdu: ReadInputRegistersRequest | ReadHoldingRegistersRequest, unit: int = 17) -> None:
    with contextlib.suppress(HardwareError):
        await bus.request(pdu, unit=unit, deadline=asyncio.get_running_loop().time() + 2)


def seen_on(line: Line, requests: int = 1, *, unit: int = 17, wait: float = 1.0) -> Seen:
    """What is observed of so many requests to one unit."""
    seen = Seen()

    async def story() -> None:
        bus = ModbusBus("virtual", line.baudrate, timeout=0.1, opener=line.open, observer=seen)
        async with bus:
            for _ in range(requests):
                await ask(bus, ReadInputRegistersRequest(address=0, count=1), unit)
            await asyncio.sleep(wait)

    run(story())
    return seen


@pytest.mark.parametrize("kind", [Line, Whole])
@pytest.mark.parametrize(
    ("given", "outcomes"),
    [
        ([Reply(ANSWER)], [Outcome.ANSWER]),
        ([Reply(framed(bytes((17, 0x84, 2))))], [Outcome.EXCEPTION]),
        ([], [Outcome.SILENCE]),
        ([Reply(ANSWER[:-1])], [Outcome.DAMAGED]),
        ([Reply(framed(bytes((3, 4, 2, 0, 5))))], [Outcome.FOREIGN]),
        ([Reply(b"\x55\xaa")], [Outcome.GARBAGE]),
        ([Reply(ANSWER + b"\0")], [Outcome.ANSWER]),
    ],
)
def test_each_end_of_a_request_is_told_once(kind: type[Line], given: list[Reply], outcomes: list[Outcome]) -> None:
    assert seen_on(kind(units=[replies(given)])).outcomes == [(17, one) for one in outcomes]


def test_a_second_answer_is_told_in_whatever_pieces_it_comes() -> None:
    assert seen_on(Whole(units=[replies([Reply(ANSWER + ANSWER)])])).outcomes == [
        (17, Outcome.ANSWER),
        (17, Outcome.STRAY),
    ]
    later = seen_on(Line(units=[replies([Reply(ANSWER), Reply(ANSWER, 0.05)])])).outcomes
    assert later[:2] == [(17, Outcome.ANSWER), (17, Outcome.STRAY)]
    assert set(later[1:]) == {(17, Outcome.STRAY)}


def test_a_late_answer_is_silence_and_then_stray() -> None:
    late = seen_on(Line(units=[replies([Reply(ANSWER, 0.15)])])).outcomes
    assert late[:2] == [(17, Outcome.SILENCE), (17, Outcome.STRAY)]


def test_the_latency_is_from_the_end_of_the_request_to_the_end_of_the_answer() -> None:
    line = Line(9600, units=[replies([Reply(ANSWER, 0.02)])])
    (latency,) = seen_on(line).latencies
    assert latency == pytest.approx(0.02 + len(ANSWER) * line.character_s, abs=0.002)


def test_an_adapter_that_hears_itself_is_not_somebody_else() -> None:
    seen = seen_on(Line(units=[replies([Reply(ANSWER)], [])], echo=True), 2)
    assert seen.outcomes == [(17, Outcome.ANSWER), (17, Outcome.ECHO)]


@pytest.mark.parametrize("echo", [False, True])
def test_a_broadcast_is_no_request_to_anybody(echo: bool) -> None:
    seen = Seen()

    async def story() -> None:
        line = Line(units=[Amp8()], echo=echo)
        async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open, observer=seen) as bus:
            deadline = asyncio.get_running_loop().time() + 1
            await bus.broadcast(WriteMultipleCoilsRequest(address=0, bits=[False] * 8), deadline=deadline)
            await asyncio.sleep(1)

    run(story())
    assert seen.outcomes == []
