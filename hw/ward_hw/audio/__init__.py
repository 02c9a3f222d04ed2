"""Sound, decoded and played by a process apart."""

from ward_hw.audio.client import AudioWorker
from ward_hw.audio.playing import Playing
from ward_hw.audio.values import AudioError, AudioSettings, Clip, Played
from ward_hw.audio_worker.order import Part, Sound

__all__ = ["AudioError", "AudioSettings", "AudioWorker", "Clip", "Part", "Played", "Playing", "Sound"]
