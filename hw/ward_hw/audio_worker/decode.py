"""Decode a file to mono 16-bit samples at the output's rate, piece by piece.

Files come from outside: only known containers are opened, through a file object, so that no playlist can
name another file or address; pieces are bounded; every fault of the file is a `BadAudio` with a reason for
people.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import av.error
import av.filter
import av.filter.context

LONGEST_S = 3600
_CONTAINERS = "wav,ogg,mp3,flac,aac,mov,amr,matroska"  # demuxers by FFmpeg's names; mov covers mp4 and m4a
_MAX_RATE = 192_000
_MAX_CHANNELS = 8
_MISSING_S = 1.0  # a file may end this much before its header says: encoders round
# The ceiling leaves room for what a sound card's resampling may add; no automatic make-up gain.
_LIMITER = "limit=0.9:level=disabled:attack=2:release=50:latency=1"


class BadAudio(Exception):
    """The file cannot be played; the text says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file holds."""

    duration_ms: int
    codec: str
    sample_rate: int
    channels: int


class AudioFile:
    """An open file; use `opened`. ``duration_s`` is what the container says, None when it does not."""

    def __init__(self, container: av.container.InputContainer) -> None:
        if not container.streams.audio:
            raise BadAudio("no sound in the file")
        self._container = container
        self._stream = container.streams.audio[0]
        context = self._stream.codec_context
        self.codec: str = context.name
        self.sample_rate: int = context.rate
        self.channels: int = context.layout.nb_channels
        if not 1 <= self.channels <= _MAX_CHANNELS or not 1 <= self.sample_rate <= _MAX_RATE:
            raise BadAudio(f"{self.channels} channels at {self.sample_rate} Hz")
        self.duration_s = None if container.duration is None else container.duration / av.time_base
        if self.duration_s is not None and self.duration_s > LONGEST_S:
            raise BadAudio(f"longer than {LONGEST_S} s")

    def samples(self, rate: int, gain_db: float) -> Iterator[bytes]:
        """Signed 16-bit mono samples, limited, in pieces of a few milliseconds to a few hundred."""
        graph = av.filter.Graph()
        limited(graph, graph.add_abuffer(template=self._stream), rate, gain_db)
        for frame in self._container.decode(self._stream):
            graph.push(frame)
            yield from pulled(graph)
        graph.push(None)
        yield from pulled(graph)


def limited(graph: av.filter.Graph, source: av.filter.context.FilterContext, rate: int, gain_db: float) -> None:
    """Lead a source through gain, mixing to mono and the limiter, and make the graph ready."""
    chain = [
        source,
        graph.add("volume", f"volume={gain_db:.2f}dB"),
        graph.add("aformat", f"sample_rates={rate}:channel_layouts=mono"),
        graph.add("alimiter", _LIMITER),
        graph.add("aformat", f"sample_fmts=s16:sample_rates={rate}:channel_layouts=mono"),
        graph.add("abuffersink"),
    ]
    for upper, lower in itertools.pairwise(chain):
        upper.link_to(lower)
    graph.configure()


def pulled(graph: av.filter.Graph) -> Iterator[bytes]:
    """Yield the samples that are ready at the end of a graph."""
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield bytes(frame.planes[0])[: frame.samples * 2]


@contextmanager
def opened(path: Path) -> Generator[AudioFile]:
    """Open a file; what goes wrong inside the block with the file becomes BadAudio."""
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
    try:
        with path.open("rb") as file, av.open(file, mode="r", options=options) as container:
            yield AudioFile(container)
    except av.error.FFmpegError as error:
        raise BadAudio(f"does not decode: {error.strerror}") from error
    except (OSError, MemoryError) as error:
        raise BadAudio(f"cannot be read: {error}") from error


def probe(path: Path) -> Facts:
    """Decode a whole file and say what it holds. Raises BadAudio."""
    rate = 48_000
    count = 0
    with opened(path) as file:
        for piece in file.samples(rate, 0.0):
            count += len(piece) // 2
            if count > LONGEST_S * rate:
                raise BadAudio(f"longer than {LONGEST_S} s")
        seconds = count / rate
        if count == 0:
            raise BadAudio("no sound in the file")
        if file.duration_s is not None and file.duration_s > seconds + _MISSING_S:
            raise BadAudio(f"cut off: {seconds:.1f} s of {file.duration_s:.1f} s are there")
        return Facts(round(seconds * 1000), file.codec, file.sample_rate, file.channels)


def duration_ms(path: Path) -> int:
    """What the container says, without decoding; 0 when it does not say. Raises BadAudio."""
    with opened(path) as file:
        return round((file.duration_s or 0.0) * 1000)
