"""The sound device: opened for a programme, closed when nothing was played for a while.

What the device takes for a programme, lead-in included, also goes to the capture file; the silence it takes
between programmes does not.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import miniaudio  # pyright: ignore[reportMissingTypeStubs] - it ships none

from ward_hw.audio_worker.capture import WavCapture
from ward_hw.audio_worker.programme import Programme

_PERIOD_MS = 20
_PERIODS = 3
_CLOSE_AFTER_S = 2.0
_BACKENDS = {"null": [miniaudio.Backend.NULL], "alsa": [miniaudio.Backend.ALSA], "default": []}
BACKENDS = frozenset(_BACKENDS)


class Output:
    """Plays one programme at a time."""

    latency_s = _PERIOD_MS * _PERIODS / 1000
    """From a sample being taken to its being heard, at most."""

    def __init__(self, backend: str, rate: int, capture: Path | None) -> None:
        self._backend = _BACKENDS[backend]
        self._rate = rate
        self._capture = None if capture is None else WavCapture(capture, rate)
        self._programme: Programme | None = None
        self._device: miniaudio.PlaybackDevice | None = None
        self._closing: threading.Timer | None = None
        self._lock = threading.Lock()

    def begin(self, programme: Programme) -> None:
        """Let the device take from this programme from now on. Raises miniaudio.MiniaudioError without a device."""
        with self._lock:
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None
            self._programme = programme
            if self._device is None:
                self._device = self._open()

    def end(self) -> None:
        """The programme is over; the device stays open for a moment, as the next one may follow."""
        with self._lock:
            self._programme = None
            if self._device is not None:
                self._closing = threading.Timer(_CLOSE_AFTER_S, self._close_idle)
                self._closing.daemon = True
                self._closing.start()

    def close(self) -> None:
        """Release device and capture file."""
        with self._lock:
            if self._closing is not None:
                self._closing.cancel()
            self._close_device()
            if self._capture is not None:
                self._capture.close()
                self._capture = None

    def _open(self) -> miniaudio.PlaybackDevice:
        device = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=1,
            sample_rate=self._rate,
            buffersize_msec=_PERIOD_MS,
            callback_periods=_PERIODS,
            backends=self._backend,
            app_name="wardhub",
        )
        samples = self._samples()
        next(samples)
        device.start(samples)  # pyright: ignore[reportUnknownMemberType] - untyped, see above
        return device

    def _close_idle(self) -> None:
        with self._lock:
            if self._programme is None:
                self._close_device()

    def _close_device(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _samples(self) -> Generator[bytes, int, None]:
        """Runs in the device's own thread: takes no lock of ours and never waits."""
        frames = yield b""
        while True:
            programme = self._programme
            samples = b"" if programme is None else programme.take(frames)
            if samples and self._capture is not None:
                self._capture.write(samples)
            frames = yield samples + bytes(frames * 2 - len(samples))
