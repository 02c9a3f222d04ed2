"""Stretches of sound files as samples: what is played with something in between is decoded once, not once a stretch."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterator
from pathlib import Path

from ward_hw.audio_worker.decode import opened
from ward_hw.audio_worker.order import Part

CUT_MS = 5  # a cut fades so long: one from full level to nothing clicks on horn loudspeakers


class Tape:
    """A file's samples from its beginning on; `at` is how many frames were given or passed over."""

    def __init__(self, path: Path, rate: int, gain_db: float) -> None:
        self.path = path
        self.at = 0
        self._pieces = _decoded(path, rate, gain_db)
        self._rest = b""

    def stretch(self, begin: int, end: int | None) -> Iterator[bytes]:
        """The samples from frame `begin`, not before `at`, up to `end`, or to the end of the file. Raises BadAudio."""
        while end is None or self.at < end:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                return
            size = len(piece) // 2
            skipped = min(max(begin - self.at, 0), size)
            taken = size if end is None else min(size, end - self.at)
            self._rest = piece[2 * taken :]
            self.at += taken
            if skipped < taken:
                yield piece[2 * skipped : 2 * taken]

    def close(self) -> None:
        """Close the file."""
        self._pieces.close()


class Tapes:
    """Plays parts of files. One left in its middle stays open, so that its next part goes on from there."""

    def __init__(self, rate: int, gain_db: float) -> None:
        self._rate = rate
        self._gain_db = gain_db
        self._running: Tape | None = None
        self._halted: Tape | None = None

    def samples(self, part: Part) -> Iterator[bytes]:
        """Signed 16-bit mono samples of a part, in pieces; cuts are faded. Raises BadAudio."""
        begin = self._frames(part.begin_ms)
        end = None if part.end_ms is None else self._frames(part.end_ms)
        tape = self._running = self._tape(part.path, begin)
        yield from self._faded(tape.stretch(begin, end), begin, end)
        self._running = None
        if end is None:
            tape.close()
        else:
            self._halt(tape)

    def close(self) -> None:
        """Close what is open."""
        self._halt(None)
        if self._running is not None:
            self._running.close()
            self._running = None

    def _tape(self, path: Path, begin: int) -> Tape:
        halted = self._halted
        if halted is not None and halted.path == path and halted.at <= begin:
            self._halted = None
            return halted
        return Tape(path, self._rate, self._gain_db)

    def _halt(self, tape: Tape | None) -> None:
        if self._halted is not None:
            self._halted.close()
        self._halted = tape

    def _frames(self, ms: int) -> int:
        return self._rate * ms // 1000

    def _faded(self, pieces: Iterator[bytes], begin: int, end: int | None) -> Iterator[bytes]:
        """The pieces of frames `begin` to `end`, with the cuts that these make faded in and out."""
        fade, at = self._frames(CUT_MS), begin
        for piece in pieces:
            size = len(piece) // 2
            inside = (not begin or at >= begin + fade) and (end is None or at + size <= end - fade)
            yield piece if inside else _softened(piece, at, begin, end, fade)
            at += size


def _softened(piece: bytes, at: int, begin: int, end: int | None, fade: int) -> bytes:
    """The piece that starts at frame `at`, its samples within `fade` frames of a cut made softer."""
    samples = array("h", piece)
    for index, sample in enumerate(samples):
        here = at + index
        near = here - begin if begin else fade
        if end is not None:
            near = min(near, end - 1 - here)
        if near < fade:
            samples[index] = sample * near // fade
    return samples.tobytes()


def _decoded(path: Path, rate: int, gain_db: float) -> Generator[bytes]:
    with opened(path) as file:
        yield from file.samples(rate, gain_db)
