"""Sound, decoded and played by a process apart."""

from ward_hw.audio.client import AudioWorker
from ward_hw.audio.playing import Playing
from ward_hw.audio.values import AudioError, AudioSettings, Clip, Ended, Played, Reception
from ward_hw.audio_worker.order import Part, Sound
from ward_hw.audio_worker.stream_order import Position

__all__ = [
    "AudioError",
    "AudioSettings",
    "AudioWorker",
    "Clip",
    "Ended",
    "Part",
    "Played",
    "Playing",
    "Position",
    "Reception",
    "Sound",
]
