"""A live stream as the sound of an airing: chime, notice of a drill, then the stream, which always ends by itself."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from ward_hub.playout.script import SPAN_MS, notice, signal_for
from ward_hub.playout.sound import SPARE_S, TRIES, Heard, Sound
from ward_hub.speech import SpeechError
from ward_hub.streams import Ordered
from ward_hw.audio import AudioError, AudioWorker, Ended, Played, Playing, Position
from ward_hw.errors import HardwareError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Priority, Status

log = logging.getLogger(__name__)
FIRST_S = 15.0
NOTICE_EVERY_S = SPAN_MS / 1000
REMEMBERED = 64


@dataclass(slots=True)
class Run:
    """One order's stream, from its first beginning on: until when by the loop's time, how far it was heard, what came.

    Packets are counted over all stretches, those that were refused by the reason.
    """

    until: float
    position: Position | None = None
    ended: str = ""
    accepted: int = 0
    lost: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])

    @property
    def left_s(self) -> float:
        """How much time it still has."""
        return self.until - asyncio.get_running_loop().time()

    @property
    def remark(self) -> str:
        """What came of it, for receipts and the audit trail: packets that somebody else sent, above all."""
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(self.refused.items()) if count)
        packets = f"{self.accepted} packets accepted, {self.lost} lost, refused: {refused or 'none'}"
        return f"stream ended by {self.ended or 'failure'}; {packets}"


class Live:
    """Plays live streams through the audio worker.

    It remembers how far streams came; of very many it forgets those first that end first. So one that was cut short
    and begins again goes on behind what was heard, and does not get more time.
    """

    def __init__(self, audio: AudioWorker, sound: Sound, language: str) -> None:
        self._audio = audio
        self._sound = sound
        self._language = language
        self._runs: dict[bytes, Run] = {}

    def is_over(self, order: bytes) -> bool:
        """Say whether the stream of the order with that digest began, and its time is up."""
        run = self._runs.get(order)
        return run is not None and run.left_s <= 0

    async def play(self, one: Ordered, heard: Heard, *, priority: Priority, status: Status) -> None:
        """Play an order's stream until it ends, adding to `heard` as it goes.

        A cancelled call stops the sound at once. A drill is said to be one before the stream, every 20 s within it, and
        behind it; where that cannot be said, nothing sounds.
        """
        run = self._begin(one)
        said = notice(status, self._language)
        try:
            if run.left_s > 0:
                await self._sound.announce(signal_for(status, priority), said, heard)
                await self._listen(one, run, heard, said)
        except SpeechError as error:
            log.error("speech: %s", error)
            heard.trouble = (Reason.AUDIO_UNAVAILABLE, "it could not be said that it is a drill")
        except (HardwareError, TimeoutError) as error:
            log.error("stream: %s", error)
            heard.trouble = (Reason.AUDIO_OUTPUT_FAILED, str(error))
        else:
            if run.position is None:
                heard.trouble = (Reason.STREAM_LOST, f"nothing authentic of the stream came within {FIRST_S:g} s")

    def _begin(self, one: Ordered) -> Run:
        while len(self._runs) >= REMEMBERED and one.order not in self._runs:
            del self._runs[min(self._runs, key=lambda order: self._runs[order].until)]
        return self._runs.setdefault(one.order, Run(asyncio.get_running_loop().time() + one.stream.max_s))

    async def _listen(self, one: Ordered, run: Run, heard: Heard, said: str) -> None:
        """Play the stream to its end, a drill's in stretches with the notice behind each; a failed output goes on."""
        failures, more = 0, True
        while more and (left_s := run.left_s) > 0:
            try:
                more = await self._stretch(one, run, min(left_s, NOTICE_EVERY_S) if said else left_s, heard)
            except (HardwareError, TimeoutError) as error:
                failures += 1
                if failures >= TRIES:
                    raise
                log.warning("stream: %s; it goes on", error)
            if said and run.position:
                await self._sound.announce(None, said, heard)

    async def _stretch(self, one: Ordered, run: Run, seconds: float, heard: Heard) -> bool:
        """Play for so long; return whether it was still coming then."""
        first_s = FIRST_S if run.position is None else one.stream.silence_s
        playing = await self._audio.play_stream(
            one.stream, one.master, limit_s=seconds, first_s=first_s, after=run.position
        )
        try:
            async with asyncio.timeout(seconds + SPARE_S):
                played = await playing.wait()
        except BaseException:
            _count(await _stopped(playing), run, heard)
            raise
        _count(played, run, heard)
        return played.stream is not None and played.stream.ended is Ended.LIMIT


def _count(played: Played | None, run: Run, heard: Heard) -> None:
    """Add what came of a stretch to what the airing and the stream know."""
    if played is None:
        return
    heard.played_ms += played.played_ms
    heard.requested_ms += played.requested_ms
    reception = played.stream
    if reception is None:
        return
    run.position = reception.position or run.position
    run.ended = reception.ended or ""
    run.accepted += reception.accepted
    run.lost += reception.lost
    run.refused.update(reception.refused)
    heard.remark = run.remark
    refused = ", ".join(f"{count} {reason}" for reason, count in reception.refused.items() if count)
    log.log(
        logging.WARNING if refused else logging.INFO,
        "stream: %s after %d ms; packets: %d accepted, %d lost, %d left out, refused: %s",
        reception.ended or "failed",
        played.played_ms,
        reception.accepted,
        reception.lost,
        reception.skipped,
        refused or "none",
    )


async def _stopped(playing: Playing) -> Played | None:
    try:
        return await playing.stop()
    except AudioError as error:
        log.error("stream: %s", error)
        return error.played
