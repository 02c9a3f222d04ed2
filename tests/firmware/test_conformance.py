"""One conformance suite for the amplifier's Modbus server, driven by mbpoll, by libmodbus and by our own bus.

Over the unchanged firmware on a simulated line, at every baud rate. What a master cannot say (function 23 in mbpoll,
43/14 in both, broadcast, counts beyond the limits) is said by libmodbus as a raw frame, and by pymodbus' own client.

Ref: MODBUS Application Protocol Specification V1.1b3, sections 6 and 7; MODBUS over Serial Line V1.02, section 2.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pytest
from pymodbus.client import ModbusSerialClient
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse
from tests.firmware.clients import until
from tests.firmware.masters import Exceptional, Libmodbus, Master, Mbpoll, OurBus, Silent

from ward_protocol.portable import amplifier as registers
from ward_protocol.portable import reset_cause
from ward_protocol.portable.amplifier_reading import STATUS_SIZE, Status
from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.line import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping

pytestmark = [pytest.mark.capability("mbpoll"), pytest.mark.usefixtures("micropython")]  # mbpoll brings libmodbus.so

UNIT = 17
MASTERS: dict[str, Callable[[str, int, int], Master]] = {"mbpoll": Mbpoll, "libmodbus": Libmodbus, "ours": OurBus}
BAUDS = [9600, 19200, 38400, 57600, 115200]
ANSWER_S = 1.0
ON, OFF = [1] * 8, [0] * 8


class Site(NamedTuple):
    line: Line
    amplifier: SimAmplifier
    path: str


@contextlib.asynccontextmanager
async def site(baud: int, settings: Mapping[str, int] | None = None) -> AsyncIterator[Site]:
    async with (
        Line(baud, seed=1) as line,
        SimAmplifier("amplifier", UNIT, line, on_change=lambda *_: None, settings=settings) as amplifier,
    ):
        yield Site(line, amplifier, line.station("master").path)


async def answered(call: Callable[[], Awaitable[object]]) -> int:
    """The exception code; 0 for none. Once more on silence: a loaded machine may be late."""
    for _ in range(5):
        try:
            await call()
        except Exceptional as error:
            return error.code
        except Silent:
            continue
        return 0
    raise Silent


@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("master", MASTERS)
async def test_every_function(master: str, baud: int) -> None:
    async with site(baud) as here, MASTERS[master](here.path, baud, UNIT) as line:
        await reads(line, here.amplifier)
        await writes(line, here.amplifier)
        await refusals(line)
        assert here.amplifier.restarts == 0


async def reads(line: Master, amplifier: SimAmplifier) -> None:
    assert await line.read(1, 0, 8) == OFF
    assert await line.read(1, 3, 2) == OFF[:2]
    assert await line.read(2, 0, 16) == OFF + OFF
    assert (await line.read(2, 16, 8))[:7] == [0, 1, 0, 0, 0, 1, 0]  # no supply, warm, configuration by default
    assert await line.read(2, 0, 32) == [*OFF, *OFF, 0, 1, 0, 0, 0, 1, 0, 0, *OFF]
    assert await line.read(3, 0, 9) == [3000, 3600, 0, 0, 0, 0, 850, 12000, 0]
    assert await line.read(3, 0x200, 11) == [UNIT, *(await line.read(3, 0x201, 1)), *registers.CONFIG_DEFAULTS[2:], 0]
    block = await line.read(4, 0, STATUS_SIZE)
    status = Status(*block)
    assert (status.relays, status.temperature_dc, status.version) == (0, 250, 0x0102)
    assert (status.reset_cause, status.boots) == (reset_cause.POWER_ON, 1)
    assert (await line.read(3, 0x100, 2)) == block[:2]
    assert amplifier.relays == (False,) * 8


async def writes(line: Master, amplifier: SimAmplifier) -> None:
    await line.write(16, 0, [10_000, 60])
    await line.write(6, registers.NONCE, [4711])
    assert await line.read(3, 0, 3) == [10_000, 60, 4711]
    await line.write(15, 0, [1, 0, 1, 0, 0, 0, 0, 1])
    await until(lambda: amplifier.relays == (True, False, True, *(False,) * 4, True), "relays follow")
    assert await line.read(1, 0, 8) == await line.read(2, 0, 8) == [1, 0, 1, 0, 0, 0, 0, 1]
    await line.write(5, 7, [0])
    await line.write(15, 1, [1, 1])
    assert await line.read(1, 0, 8) == [1, 1, 1, 0, 0, 0, 0, 0]
    await line.write(15, 0, OFF)
    await until(lambda: not any(amplifier.relays), "relays open")
    await line.write(16, 0, [3000, 3600])


async def refusals(line: Master) -> None:
    """Exceptions 2 and 3 of every function, and that none of them changed a thing."""
    before = await line.read(3, 0, 9) + await line.read(3, 0x200, 11)
    beyond = ((1, 8, 1), (1, 4, 5), (2, 30, 3), (3, 9, 1), (3, 0x20B, 1), (4, STATUS_SIZE, 1), (4, STATUS_SIZE - 2, 3))
    for function, first, count in beyond:
        assert await answered(lambda f=function, a=first, n=count: line.read(f, a, n)) == 2  # type: ignore[misc]
    wrong = [
        (5, 8, [1], 2), (6, 9, [0], 2), (6, 0, [499], 3), (15, 4, ON, 2), (16, 8, [0, 0], 2), (16, 0, [3000, 0], 3),
        (6, 0x100, [1], 2), (6, 0x200, [0], 3), (6, 0x20A, [1], 3),
    ]  # fmt: skip
    for function, first, values, code in wrong:
        assert await answered(lambda f=function, a=first, v=values: line.write(f, a, v)) == code, (function, first)  # type: ignore[misc]
    assert await line.read(3, 0, 9) + await line.read(3, 0x200, 11) == before
    assert await line.read(1, 0, 8) == OFF


@pytest.mark.parametrize("master", MASTERS)
async def test_the_interlock_and_a_closed_relay_answer_with_exception_4(master: str) -> None:
    settings = {"supply": 1, "zones": 6, "warm_up_ms": 400, "lease_ms": 10_000}
    async with site(115200, settings) as here, MASTERS[master](here.path, 115200, UNIT) as line:
        assert await answered(lambda: line.write(5, 1, [1])) == 4
        assert await answered(lambda: line.write(15, 0, [1, 1])) == 4
        await line.write(5, 0, [1])
        assert await answered(lambda: line.write(6, registers.COMMIT, [registers.COMMIT_STORE])) == 4
        await asyncio.sleep(0.5)
        await line.write(15, 0, [1, 1, 1])
        assert await line.read(1, 0, 3) == [1, 1, 1]
        await line.write(5, 0, [0])
        assert await line.read(1, 0, 3) == [0, 0, 0]


@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("master", ["libmodbus", "ours"])  # mbpoll refuses to speak to unit 0
async def test_a_broadcast_acts_and_nobody_answers(master: str, baud: int) -> None:
    async with site(baud) as here:
        async with MASTERS[master](here.path, baud, 0) as everybody:
            with pytest.raises(Silent):
                await everybody.write(15, 0, [1, 0, 0, 1])
            await until(lambda: here.amplifier.relays[:4] == (True, False, False, True), "it acts")
            with pytest.raises(Silent):
                await everybody.write(6, 0x200, [99])
        async with MASTERS[master](here.path, baud, UNIT) as line:
            assert await line.read(3, 0x200, 1) == [UNIT]
            assert await line.read(4, Status._fields.index("frames_ok"), 1) > [1]  # both were heard


async def test_other_units_are_not_answered_for() -> None:
    async with site(19200) as here, Libmodbus(here.path, 19200, UNIT + 1) as line:
        with pytest.raises(Silent):
            await line.read(1, 0, 8)
        with pytest.raises(Silent):
            await line.write(5, 0, [1])
        assert not any(here.amplifier.relays)


@pytest.mark.parametrize("baud", BAUDS)
async def test_function_23_by_libmodbus(baud: int) -> None:
    async with site(baud) as here, Libmodbus(here.path, baud, UNIT) as line:
        assert (await line.write_and_read(registers.NONCE, [0xBEEF], 0x100, 3))[::2] == [0xBEEF, 0]
        found = await line.write_and_read(0, [5000, 100, 7], 0, 9)
        assert found == [5000, 100, 7, 0, 0, 0, 850, 12000, 0]
        for first, values, read_first, count, code in (
            (0, [1], 0, 1, 3), (8, [0, 0], 0, 1, 2), (2, [9], 0xFF + STATUS_SIZE, 2, 2), (2, [9], 9, 1, 2),
            (0x100, [1], 0, 1, 2),
        ):  # fmt: skip
            asked = (first, values, read_first, count)
            assert await answered(lambda a=asked: line.write_and_read(*a)) == code, asked  # type: ignore[misc]
        assert (await line.read(3, 2, 1)) == [7]


# Requests that no client library lets out: counts beyond the limits, sizes that contradict them, unknown functions.
RAW = {
    "01 0000 0000": "81 03", "01 0000 07D1": "81 03", "02 0000 0000": "82 03", "02 0000 07D1": "82 03",
    "03 0000 0000": "83 03", "03 0000 007E": "83 03", "04 0000 007E": "84 03", "05 0000 0001": "85 03",
    "0F 0000 0000 00": "8F 03", "0F 0000 0008 02 0101": "8F 03", "10 0000 0000 00": "90 03",
    "10 0000 0001 04 0BB80BB8": "90 03", "17 0100 007E 0002 0001 02 0001": "97 03",
    "17 0100 0001 0002 0000 00": "97 03", "07": "87 01", "08 0000 1234": "88 01", "0B": "8B 01", "11": "91 01",
    "14 07 06 0001 0000 0001": "94 01", "16 0000 FFFF 0000": "96 01", "18 0000": "98 01", "64 01": "E4 01",
    "2B 0D 01 00 00": "AB 01", "2B 0E 00 00": "AB 03", "2B 0E 05 00": "AB 03", "2B 0E 04 03": "AB 02",
}  # fmt: skip


@pytest.mark.parametrize("baud", [9600, 115200])
async def test_limits_and_unknown_functions_raw_by_libmodbus(baud: int) -> None:
    async with site(baud) as here, Libmodbus(here.path, baud, UNIT) as line:
        for request, expected in RAW.items():
            frame = bytes((UNIT,)) + bytes.fromhex(request)
            code = await answered(lambda f=frame: raw(line, f))  # type: ignore[misc]
            assert f"{frame[1] | 0x80:02X} {code:02X}" == expected, request
        assert (await line.read(3, 0, 9)) == [3000, 3600, 0, 0, 0, 0, 850, 12000, 0]


async def raw(line: Libmodbus, frame: bytes) -> None:
    """As any call of a client: an exception answer is raised."""
    answer = await line.raw(frame)
    if answer[0] & 0x80:
        raise Exceptional(answer[1])


@pytest.mark.parametrize("baud", BAUDS)
async def test_identification_by_pymodbus(baud: int) -> None:
    async with site(baud) as here:
        found = await asyncio.to_thread(identify, here.path, baud)
    regular = {0: b"wardhub", 1: b"amp8", 2: b"1.2", 4: b"amplifier controller, 8 relays", 5: b"RP2040"}
    serial = {0x80: here.amplifier.serial.hex().encode()}
    assert found[1] == {number: regular[number] for number in (0, 1, 2)}
    assert found[2] == regular
    assert found[3] == {**regular, **serial}
    assert found[4] == serial


def identify(path: str, baud: int) -> dict[int, dict[int, bytes]]:
    """Objects by the code they were asked with."""
    found = {}
    client = ModbusSerialClient(path, baudrate=baud, timeout=ANSWER_S, retries=5)
    assert client.connect()
    try:
        for code, first in ((1, 0), (2, 0), (3, 0), (4, 0x80)):
            answer = client.read_device_information(read_code=code, object_id=first, device_id=UNIT)
            assert isinstance(answer, ReadDeviceInformationResponse), answer
            assert (answer.conformity, answer.more_follows) == (0x83, 0)
            found[code] = dict(answer.information)
    finally:
        client.close()  # type: ignore[no-untyped-call]  # pymodbus has it so
    return found


async def test_reconfigured_by_mbpoll_it_answers_at_its_new_number_and_rate_and_keeps_both() -> None:
    async with Line(19200, seed=1) as line, SimAmplifier("one", 1, line, on_change=lambda *_: None) as amplifier:
        path = line.station("master").path
        async with Mbpoll(path, 19200, 1) as master:
            await master.write(16, 0x200, [42, 1152, 2000, 600, 1, 6, 800, 700, 9000, 1800])
            await master.write(6, registers.COMMIT, [registers.COMMIT_STORE])
            assert (await master.read(2, 23, 1)) == [1]  # it waits for a restart
            await master.write(6, registers.COMMIT, [registers.COMMIT_RESTART])
        await until(lambda: amplifier.restarts == 1 and amplifier.tap.configured_baud == 115200, "it restarts")
        for expected in (reset_cause.SOFT, reset_cause.POWER_ON):
            async with Mbpoll(path, 115200, 42) as master:
                assert await master.read(3, 0, 9) == [2000, 600, 0, 1, 6, 800, 700, 9000, 1800]
                assert (await master.read(4, Status._fields.index("reset_cause"), 1)) == [expected]
                assert await master.read(2, 21, 3) == [0, 0, 0]
            await amplifier.kill()
            await amplifier.start()
        async with Mbpoll(path, 115200, 42) as master:
            assert await master.read(4, Status._fields.index("boots"), 1) == [4]  # it counts its starts


async def test_requests_back_to_back_are_answered_with_silence_kept() -> None:
    """Two masters' worth of requests in one go: each has its answer, and t3.5 lies before each."""
    async with site(9600) as here, Libmodbus(here.path, 9600, UNIT) as line:
        for _ in range(20):
            assert await line.read(3, 0, 1) == [3000]
        status = Status(*await line.read(4, 0, STATUS_SIZE))
        assert status.frames_ok >= 20  # every frame was taken ...
        assert status.frames_bad == 0  # ... and none thrown away
