"""A Modbus slave on a pty that spoils its answers by a script, and keeps the truth where its judge can see it.

Written from the standard alone: it shares no code with our master, our firmware or any library that is measured.
It takes requests in order, one at a time. A reading is what the register held when the request came, and the
register changes with each request, so an answer tells which request it belongs to. A write acts just before its answer.

`python slave.py FD STATE FAULT SEED LATE`: FD is the master end of a pty, STATE a file of four 32-bit words that is
mapped here and by the judge: requests received, coils as they are, 1 once it serves, and how many readings had their
right answer on the wire within half of LATE, whole. About half of the requests
meet the fault (echo and noise: all); which, and how, depends on SEED and on how many came before, so every master
meets the same faults.

Ref: Modbus Application Protocol V1.1b3, sections 6.3, 6.11, 6.17; Modbus over Serial Line V1.02, 6.2.2 (CRC).
"""

from __future__ import annotations

import heapq
import itertools
import mmap
import os
import random
import select
import struct
import sys
import time
from pathlib import Path

UNIT = 17
IDENTITY = 0x1DE7
STATUS, WORDS, COUNTER = 0x0100, 16, 3
"""First register of the block, its length, and the word in it that counts requests."""
STATE = struct.Struct("=IIII")
FAULTS = ("none", "late reply", "another unit first", "leading zero", "echo", "noise 1e-4", "truncated", "duplicated")
THINKS_S = 0.001  # a master that believes too early is seen to do so before the slave has acted
APART_S = 0.001
BIT_ERRORS = 1e-4
SHARE = 0.5  # of requests that meet the fault


def crc16(data: bytes) -> bytes:
    """Return the CRC as it stands on the wire."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def framed(data: bytes) -> bytes:
    """Return a frame with its CRC."""
    return data + crc16(data)


def size_of(request: bytes) -> int:
    """Length of the request that begins here; 0 while that cannot be known."""
    if len(request) < 2:
        return 0
    if request[1] in (15, 16):
        return 9 + request[6] if len(request) > 6 else 0
    if request[1] == 23:
        return 13 + request[10] if len(request) > 10 else 0
    return 8


class Slave:
    """Coils, a nonce, and a block with a counter; `fault` is one of FAULTS, `late` seconds."""

    def __init__(self, fd: int, state: mmap.mmap | bytearray, fault: str, seed: int, late: float) -> None:
        self._fd, self._state, self._fault, self._seed, self._late = fd, state, fault, seed, late
        self._received = self._coils = self._nonce = self._right = 0
        self._held = bytearray()
        self._free_at = 0.0
        self.due: list[tuple[float, int, bytes, int]] = []  # when, order, bytes, coils from then on (-1: as they are)
        self._order = itertools.count()

    def serve(self) -> None:
        """Until the pty is closed."""
        self._tell()
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            if select.select([self._fd], [], [], wait)[0]:
                try:
                    self.take(os.read(self._fd, 4096))
                except OSError:
                    return
            while self.due and self.due[0][0] <= time.monotonic():
                _, _, data, coils = heapq.heappop(self.due)
                if coils >= 0:
                    self._coils = coils
                    self._tell()
                os.write(self._fd, data)

    def _tell(self) -> None:
        STATE.pack_into(self._state, 0, self._received, self._coils, 1, self._right)

    def take(self, data: bytes) -> None:
        """Take what came, and schedule what is to be said of it."""
        if self._fault == "echo":
            self._put(time.monotonic(), data, -1)
        self._held += data
        while (size := size_of(bytes(self._held))) and len(self._held) >= size:
            request = bytes(self._held[:size])
            del self._held[:size]
            self._received += 1
            self._tell()
            rng = random.Random(self._seed * 1_000_003 + self._received)
            heard = self._noisy(request, rng)
            if crc16(heard[:-2]) == heard[-2:] and heard[0] == UNIT:
                self._answer(heard[1:-2], rng)

    def _answer(self, pdu: bytes, rng: random.Random) -> None:
        answer, coils = self._execute(pdu)
        hit = rng.random() < SHARE
        at = max(time.monotonic(), self._free_at) + THINKS_S
        if hit and self._fault == "late reply":
            at = max(time.monotonic(), self._free_at) + self._late
        self._free_at = at
        good = framed(bytes((UNIT,)) + answer)
        frame = self._noisy(good, rng)
        if hit and self._fault == "another unit first":
            self._put(at, framed(bytes((UNIT + 1,)) + self._foreign(answer)), -1)
            at += APART_S
        if hit and self._fault == "leading zero":
            frame = b"\0" + frame
        if hit and self._fault == "truncated":
            frame = frame[: rng.randrange(1, len(frame))]
        self._right += answer[0] in (3, 23) and frame.endswith(good) and at - time.monotonic() < self._late / 2
        self._tell()
        self._put(at, frame, coils)
        if hit and self._fault == "duplicated":
            self._put(at + APART_S, frame, -1)

    def _put(self, at: float, data: bytes, coils: int) -> None:
        heapq.heappush(self.due, (at, next(self._order), data, coils))

    def _execute(self, pdu: bytes) -> tuple[bytes, int]:
        """Return the answer, and what the coils are when it is given (-1: as they are)."""
        if pdu[0] in (3, 23):
            first, count = struct.unpack(">HH", pdu[1:5])
            if pdu[0] == 23:
                self._nonce = int.from_bytes(pdu[10:12], "big")
            words = [self._nonce, IDENTITY, self._expected_coils(), self._received, *([0] * (WORDS - 4))]
            return struct.pack(f">BB{count}H", pdu[0], 2 * count, *words[first - STATUS :][:count]), -1
        if pdu[0] == 15:
            return pdu[:5], pdu[6]
        return bytes((pdu[0] | 0x80, 1)), -1

    def _expected_coils(self) -> int:
        """Coils when what came before has been done, in order."""
        return next((one[3] for one in sorted(self.due, reverse=True) if one[3] >= 0), self._coils)

    @staticmethod
    def _foreign(answer: bytes) -> bytes:
        """An answer of the same shape; where it carries words, they are others."""
        return answer[:2] + b"\x0b" * (len(answer) - 2) if answer[0] in (3, 23) else answer

    def _noisy(self, frame: bytes, rng: random.Random) -> bytes:
        if self._fault != "noise 1e-4":
            return frame
        spoilt = bytearray(frame)
        for bit in range(8 * len(frame)):
            if rng.random() < BIT_ERRORS:
                spoilt[bit // 8] ^= 1 << bit % 8
        return bytes(spoilt)


def main(fd: int, state: Path, fault: str, seed: int, late: float) -> None:
    """Serve on `fd`, telling the truth in `state`."""
    if fault not in FAULTS:
        raise ValueError(f"no fault {fault}; there are: {', '.join(FAULTS)}")
    with state.open("r+b") as file, mmap.mmap(file.fileno(), STATE.size) as shared:
        Slave(fd, shared, fault, seed, late).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
