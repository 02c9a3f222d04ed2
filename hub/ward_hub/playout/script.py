"""What an airing sounds like, and in which order: pure. What is not Actual never sounds as if it were.

| status | chime | notice that it is a drill |
| --- | --- | --- |
| Actual | by priority | none |
| Exercise, Test | that of drills, whatever the priority | first, last, and wherever 20 s would pass without one |

So whoever turns a corner and begins to listen knows within 20 s. Speech is parted at the ends of its sentences; a
recording, and a sentence that takes longer, at every 20 s. The notice is in the language of what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ward_hub.chime import Signal
from ward_hub.i18n import LANGUAGES, translator
from ward_hub.versions import plain, recording_for, text_for
from ward_hw.audio import Part
from ward_protocol.statements import Bulletin, Priority, Status

SPAN_MS = 20_000
MAX_SENTENCE = 160  # letters: about 14 s at 160 words a minute, so that speech is hardly ever cut within a word
_END = re.compile(r"(?<=[.!?…:;])\s+|\s*\n\s*")


def signal_of(bulletin: Bulletin) -> Signal:
    """Return the chime that it begins with."""
    return signal_for(bulletin.status, bulletin.priority)


def signal_for(status: Status, priority: Priority) -> Signal:
    """Return the chime of what has that status and priority."""
    if status is not Status.ACTUAL:
        return Signal.DRILL
    return Signal.EMERGENCY if priority is Priority.EMERGENCY else Signal.NORMAL


def notice(status: Status, language: str) -> str:
    """Return what is said of a drill in a language of LANGUAGES; empty for what is real."""
    _ = translator(language)
    if status is Status.TEST:
        return _("This is a test. There is no danger.")
    if status is Status.EXERCISE:
        return _("This is an exercise. There is no danger.")
    return ""


def language_of(bulletin: Bulletin, hub: str, *, recorded: bool) -> str:
    """Return the language of what a hub of language `hub` says of a bulletin, the hub's where we cannot speak it."""
    chosen = recording_for(bulletin, hub) if recorded else text_for(bulletin, hub)
    spoken = plain(chosen.language) if chosen else hub
    return spoken if spoken in LANGUAGES else hub


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, what is longer than MAX_SENTENCE parted at commas or between words."""
    return [part for sentence in _END.split(text) if sentence.strip() for part in _parts(sentence.strip())]


def _parts(sentence: str) -> Iterator[str]:
    while len(sentence) > MAX_SENTENCE:
        head = sentence[: MAX_SENTENCE + 1]
        cut = head.rfind(", ") + 1 or head.rfind(" ")
        cut = cut if cut > 0 else MAX_SENTENCE
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence


def with_notices(said: Path, content: Iterable[tuple[Path, int]]) -> list[Path | Part]:
    """Return what to play of files and their lengths in ms: the notice first, last, and never SPAN_MS without it."""
    order: list[Path | Part] = [said]
    since = 0
    for part, length_ms in _spans(content):
        if since and since + length_ms > SPAN_MS:
            order.append(said)
            since = 0
        order.append(part)
        since += length_ms
    return [*order, said]


def _spans(content: Iterable[tuple[Path, int]]) -> Iterator[tuple[Path | Part, int]]:
    """The files, those longer than SPAN_MS in parts."""
    for path, length_ms in content:
        if length_ms <= SPAN_MS:
            yield path, length_ms
            continue
        for begin in range(0, length_ms, SPAN_MS):
            end = begin + SPAN_MS
            # The last goes on to the end of the file, whatever its length was thought to be.
            yield Part(path, begin, end if end < length_ms else None), min(SPAN_MS, length_ms - begin)
