"""Answers among anything: found whatever stands around them and however it is cut; never invented."""

from __future__ import annotations

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st
from tests.sim.hw.units import Amp8, framed
from tests.sim.hw.virtual import Line, Reply, run

from ward_hw.bus import ModbusBus
from ward_hw.bus.answer import Expected, crc_is_right
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.errors import Unconfirmed
from ward_hw.profile import load_profile

UNITS = st.integers(1, 247)
noise = st.binary(max_size=12)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request and its right answer."""
    unit = draw(UNITS)
    function = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 15, 16, 23]))
    address, count = draw(st.integers(0, 0xFFFF)), draw(st.integers(1, 20))
    head = bytes((unit, function)) + address.to_bytes(2, "big") + count.to_bytes(2, "big")
    if function in {5, 6}:
        return framed(head), framed(head)
    if function in {15, 16}:
        return framed(head + bytes((2, 0, 0))), framed(head)
    size = (count + 7) // 8 if function in {1, 2} else 2 * count
    write = bytes((0, 0, 0, 1, 2, 0, 9)) if function == 23 else b""
    return framed(head + write), framed(bytes((unit, function, size)) + draw(st.binary(min_size=size, max_size=size)))


@given(exchanges(), noise, noise)
@example((framed(bytes((5, 4, 0, 0, 0, 1))), framed(bytes((5, 4, 2, 5, 4)))), b"\x05\x04\x02", b"")
def test_the_answer_is_found_in_noise(exchange: tuple[bytes, bytes], before: bytes, behind: bytes) -> None:
    request, answer = exchange
    expected = Expected.to(request)
    found = expected.find(before + answer + behind)
    assert found is not None
    # Noise of twelve bytes may by a rare chance hold a right frame of its own, and it stands first.
    assert found[1] == answer or found[1] in before + answer


@st.composite
def identifications(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request of function 43/14 and an answer with any objects. Ref: V1.1b3, section 6.21."""
    unit = draw(UNITS)
    objects = draw(st.lists(st.binary(max_size=20), max_size=5))
    body = b"".join(bytes((number, len(one))) + one for number, one in enumerate(objects))
    head = bytes((unit, 0x2B, 0x0E, 1))
    return framed(head + b"\0"), framed(head + bytes((1, 0, 0, len(objects))) + body)


@given(identifications(), noise, noise)
def test_an_identification_is_found_by_its_own_length(
    exchange: tuple[bytes, bytes], before: bytes, behind: bytes
) -> None:
    request, answer = exchange
    expected = Expected.to(request)
    for cut in range(len(answer)):
        assert expected.find(answer[:cut]) is None
    found = expected.find(before + answer + behind)
    assert found is not None
    assert found[1] == answer or found[1] in before + answer


@given(identifications(), st.binary(max_size=40))
def test_an_identification_among_anything_is_no_error(exchange: tuple[bytes, bytes], line: bytes) -> None:
    request, _ = exchange
    found = Expected.to(request).find(request[:3] + line)
    assert found is None or crc_is_right(found[1])


@given(exchanges(), st.binary(max_size=80))
def test_whatever_is_found_is_of_the_unit_the_function_and_a_right_crc(
    exchange: tuple[bytes, bytes], line: bytes
) -> None:
    request, answer = exchange
    found = Expected.to(request).find(line)
    if found is not None:
        frame = found[1]
        assert crc_is_right(frame)
        assert frame[0] == request[0]
        assert frame[1] & 0x7F == request[1]
        assert len(frame) in {5, len(answer)}
        assert line[found[0] - len(frame) : found[0]] == frame


Order = tuple[frozenset[int], list[float | None], list[bool], float, bytes]
what_happens = st.lists(
    st.tuples(
        st.sampled_from([frozenset({0}), frozenset({1}), frozenset()]),  # few, so that old answers often seem right
        st.lists(st.none() | st.floats(0.0, 1.5), max_size=6),  # when its answers come, None: never
        st.lists(st.booleans(), max_size=6),  # which requests are lost
        st.sampled_from([0.15, 0.5, 2.0]),  # how long the caller waits
        st.binary(max_size=3),  # what stands before every answer
    ),
    max_size=12,
)


@given(what_happens)
def test_reported_closed_is_closed(orders: list[Order]) -> None:
    """The promise of the driver, for any answers lost or late by any time, behind any noise."""

    async def story() -> None:
        station = Amp8()
        before = b""

        def noisy(frame: bytes) -> list[Reply]:
            return [Reply(before + reply.data, reply.after) for reply in station(frame)]

        line = Line(units=[noisy])
        loop = asyncio.get_running_loop()
        async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open) as bus:
            amplifier = Amplifier("amp-1", bus, station.unit, load_profile("wardhub/amp8"), clock=loop.time)
            for closed, delays, deaf, budget_s, before in orders:  # noqa: B007 - `noisy` looks at it
                station.delays, station.deaf = list(delays), list(deaf)
                begin = loop.time()
                try:
                    reading = await amplifier.set_relays(closed, budget_s=budget_s)
                except Unconfirmed:
                    continue
                finally:
                    assert loop.time() - begin <= budget_s + 1e-6
                assert reading.relays == closed == {n for n, on in enumerate(station.relays) if on}

    run(story())
