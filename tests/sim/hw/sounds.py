"""Sound files for tests, made on the spot by PyAV: a tone of known level and length."""

from __future__ import annotations

import math
from array import array
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream

_FRAME = 960
CODECS = {".wav": ("wav", "pcm_s16le"), ".opus": ("ogg", "libopus"), ".flac": ("flac", "flac"), ".mp3": ("mp3", "mp3")}


def tone(path: Path, seconds: float, *, level: float = 0.5, rate: int = 48_000, stereo: bool = False) -> Path:
    """Write a 440 Hz tone whose amplitude is ``level`` of full scale; the suffix chooses the format."""
    container_name, codec = CODECS[path.suffix]
    layout = "stereo" if stereo else "mono"
    with av.open(str(path), "w", format=container_name) as container:
        stream = cast("AudioStream", container.add_stream(codec, rate=rate, layout=layout))
        for begin in range(0, int(seconds * rate), _FRAME):
            count = min(_FRAME, int(seconds * rate) - begin)
            wave = [round(level * 32767 * math.sin(math.tau * 440 * (begin + n) / rate)) for n in range(count)]
            samples = array("h", [value for value in wave for _ in range(2 if stereo else 1)])
            frame = av.AudioFrame(format="s16", layout=layout, samples=count)
            frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            container.mux(stream.encode(_fitting(stream, frame)))
        container.mux(stream.encode(None))
    return path


def _fitting(stream: AudioStream, frame: av.AudioFrame) -> av.AudioFrame:
    """The frame in the sample format that the encoder takes."""
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=frame.layout, rate=frame.sample_rate)
    (fitted,) = resampler.resample(frame)
    fitted.pts = frame.pts
    return fitted
