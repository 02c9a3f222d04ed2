"""Sound, decoded and played by a process apart."""

from ward_hw.audio.client import AudioWorker
from ward_hw.audio.playing import Playing
from ward_hw.audio.values import AudioError, AudioSettings, Clip, Played

__all__ = ["AudioError", "AudioSettings", "AudioWorker", "Clip", "Played", "Playing"]
