"""Payloads of a stream to mono 16-bit samples at the output's rate, and something to play where one was lost."""

from __future__ import annotations

from array import array
from typing import Any, cast

import av
import av.error
import av.filter

from ward_hw.audio_worker.decode import limited, pulled

_DECODERS = {"opus": "libopus", "PCMA": "pcm_alaw", "L16": "pcm_s16be"}
_LAYOUTS = {1: "mono", 2: "stereo"}


class StreamDecoder:
    """Decodes one stream; gain and limiter are those of recordings."""

    def __init__(self, codec: str, clock_rate: int, channels: int, *, rate: int, gain_db: float) -> None:
        context = av.CodecContext.create(_DECODERS[codec], "r")
        if not isinstance(context, av.AudioCodecContext):
            raise TypeError(f"{codec} is no codec of sound")
        context.sample_rate, context.layout = clock_rate, _LAYOUTS[channels]
        context.open()
        self._context = context
        self._clock_rate = clock_rate
        self._rate = rate
        self._gain_db = gain_db
        self._graph: av.filter.Graph | None = None
        self._last = array("h")

    def decode(self, payload: bytes) -> bytes | None:
        """Return the samples of a payload, none while the limiter looks ahead; None where it does not decode."""
        try:
            frames = cast("Any", self._context).decode(av.Packet(payload))  # av leaves a type open
        except av.error.FFmpegError:
            return None
        samples = b"".join(piece for frame in frames for piece in self._filtered(frame))
        if samples:
            self._last = array("h", samples)
        return samples

    def conceal(self, ticks: int) -> bytes:
        """Return so many ticks of sound for what was lost: what came last, backwards and fading, then silence.

        Backwards it begins where the last sample left off, so that the gap does not click.
        """
        count = ticks * self._rate // self._clock_rate
        echo, self._last = self._last[-count:] if count else array("h"), array("h")
        echo.reverse()
        for number, sample in enumerate(echo):
            echo[number] = sample * (len(echo) - number) // (len(echo) + 1)
        return echo.tobytes().ljust(count * 2, b"\0")

    def _filtered(self, frame: av.AudioFrame) -> list[bytes]:
        if self._graph is None:
            self._graph = av.filter.Graph()
            source = self._graph.add_abuffer(
                sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name
            )
            limited(self._graph, source, self._rate, self._gain_db)
        self._graph.push(frame)
        return list(pulled(self._graph))
