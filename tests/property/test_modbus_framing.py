"""The amplifier on a line of many units: any chunking, foreign traffic, noise; and relays only ever by valid writes."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.firmware.ports import RelayBank, amplifier, t15_us

from ward_firmware.amplifier.framing import Framer, t35_us
from ward_protocol.portable.crc16 import seal

UNIT = 17
GAP_US = t35_us(19200) + 1


def coils(unit: int, mask: int) -> bytes:
    return seal(bytes((unit, 15, 0, 0, 0, 8, 1, mask)))


@st.composite
def foreign(draw: st.DrawFn) -> bytes:
    """A frame of another unit: request or answer, we cannot know which. None whose beginning passes for a whole one."""
    unit = draw(st.integers(1, 247).filter(lambda unit: unit != UNIT))
    frame = seal(bytes((unit,)) + draw(st.binary(min_size=1, max_size=40)))
    assume(not any(frame[:end] == seal(frame[: end - 2]) for end in range(4, len(frame))))
    return frame


@given(st.lists(st.one_of(st.integers(0, 255), foreign()), max_size=8), st.integers(1, 30))
def test_every_frame_for_us_is_found_among_others(traffic: list[int | bytes], size: int) -> None:
    framer = Framer(UNIT, 19200)
    now_us, found = 0, []
    for item in traffic:
        wire = item if isinstance(item, bytes) else coils(UNIT, item)
        now_us += GAP_US
        for at in range(0, len(wire), size):
            found += framer.feed(wire[at : at + size], now_us)
    assert found == [coils(UNIT, item) for item in traffic if isinstance(item, int)]


@example(bytes.fromhex("475904fa4600"), 0)  # the beginning of this frame passes for a whole one
@given(st.binary(max_size=400), st.integers(0, 255))
def test_after_any_noise_and_one_silence_the_next_request_is_heard(noise: bytes, mask: int) -> None:
    framer = Framer(UNIT, 19200)
    framer.feed(noise, 0)
    framer.silence(GAP_US - 1)
    assert framer.feed(coils(UNIT, mask), GAP_US) == [coils(UNIT, mask)]


@given(st.binary(max_size=400))
def test_noise_moves_no_relay(noise: bytes) -> None:
    bank = RelayBank()
    core = amplifier(bank, unit=UNIT)
    core.rx(noise, 10)
    assert bank.mask == 0


SHORTEST_TURN_US = 20
CHARACTER_US = {baud: 10_000_000 // baud for baud in (9600, 19200, 38400, 57600, 115200)}


def listened(frame: bytes, pauses_us: list[int], baud: int, turns: st.DataObject, longest_us: int) -> list[bytes]:
    """Frames that a loop takes from a UART, with a pause before each character but the first; its turns vary."""
    framer, found = Framer(UNIT, baud), []
    waiting, at_us = [], 0
    for value, pause_us in zip(frame, [0, *pauses_us], strict=True):
        at_us += pause_us + CHARACTER_US[baud]
        waiting.append((at_us, value))
    now_us = 0
    while waiting:
        before_us = now_us
        now_us += turns.draw(st.integers(SHORTEST_TURN_US, longest_us))
        there = bytes(value for ended_us, value in waiting if ended_us <= now_us)
        if there:
            found += framer.feed(there, now_us)
            del waiting[: len(there)]
        else:
            framer.silence(before_us)
    return found


@given(st.data(), st.sampled_from(sorted(CHARACTER_US)), st.integers(0, 255))
def test_no_pause_of_up_to_t15_spoils_a_frame_however_late_the_loop(data: st.DataObject, baud: int, mask: int) -> None:
    frame = coils(UNIT, mask)
    pause = st.integers(0, t15_us(baud))
    pauses_us = data.draw(st.lists(pause, min_size=len(frame) - 1, max_size=len(frame) - 1))
    assert listened(frame, pauses_us, baud, data, longest_us=5000) == [frame]


@given(st.data(), st.sampled_from(sorted(CHARACTER_US)), st.integers(0, 255))
def test_a_pause_of_t15_and_three_turns_spoils_a_frame_wherever_it_is(
    data: st.DataObject, baud: int, mask: int
) -> None:
    frame = coils(UNIT, mask)
    pauses_us = [0] * (len(frame) - 1)
    turn_us = data.draw(st.integers(SHORTEST_TURN_US, 1000))
    longer_us = data.draw(st.integers(3 * turn_us + 1, 10_000))
    pauses_us[data.draw(st.integers(0, len(pauses_us) - 1))] = t15_us(baud) + longer_us
    assert listened(frame, pauses_us, baud, data, longest_us=turn_us) == []


class DeadMan(RuleBasedStateMachine):
    """Whatever is said and whenever: no relay stays closed longer than the lease after the last accepted write."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = RelayBank()
        self.core = amplifier(self.bank, unit=UNIT)
        self.now_us = 0
        self.written_us = 0
        self.lease_us = 3_000_000

    def say(self, frame: bytes) -> bytes:
        self.core.tick(self.now_us % 2**30)
        return self.core.rx(frame, self.now_us % 2**30)

    @rule(microseconds=st.integers(0, 4_000_000))
    def time_passes(self, microseconds: int) -> None:
        self.now_us += microseconds
        self.core.tick(self.now_us % 2**30)

    @rule(mask=st.integers(0, 255), broadcast=st.booleans())
    def master_writes(self, mask: int, broadcast: bool) -> None:
        self.now_us += GAP_US
        answer = self.say(coils(0 if broadcast else UNIT, mask))
        assert bool(answer) != broadcast
        self.written_us = self.now_us
        assert self.bank.mask == mask

    @rule(milliseconds=st.integers(0, 12_000))
    def master_sets_the_lease(self, milliseconds: int) -> None:
        self.now_us += GAP_US
        answer = self.say(seal(bytes((UNIT, 6, 0, 0)) + milliseconds.to_bytes(2, "big")))
        if answer[1] == 6:
            self.written_us, self.lease_us = self.now_us, milliseconds * 1000
        assert (answer[1] == 6) == (500 <= milliseconds <= 10_000)

    @rule(frame=st.sampled_from([bytes((UNIT, 1, 0, 0, 0, 8)), bytes((UNIT, 4, 0, 0, 0, 12)), b"\x12\x05\0\0\xff\0"]))
    def others_read_or_write_elsewhere(self, frame: bytes) -> None:
        self.now_us += GAP_US
        self.say(seal(frame))

    @rule(noise=st.binary(min_size=1, max_size=30))
    def noise(self, noise: bytes) -> None:
        self.now_us += GAP_US
        self.say(noise)

    @invariant()
    def the_lease_holds(self) -> None:
        if self.now_us - self.written_us > self.lease_us + 1000:
            assert self.bank.mask == 0


TestDeadMan = DeadMan.TestCase
