"""Which text a board can show: normalised first, then every character judged."""

from __future__ import annotations

import re
import unicodedata

from ward_hub.render.font import Weight, coverage

_SPACES = re.compile(r"[ \t\n]+")
_ALLOWED_CONTROLS = frozenset("\n\t")  # paragraphs and tables of a bulletin's body; shown as one space
# Control, format (bidi overrides, zero-width joiners), surrogate, private use, unassigned; line and paragraph
# separators; and marks left over after composition: the font would stack them anywhere, over any number of
# rows.
_REFUSED = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Mc", "Me"])


def normalise(text: str) -> str:
    """The text as drawn: NFC (ế is one letter), runs of white space one space, ends stripped."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def check_text(text: str, weight: Weight = Weight.REGULAR) -> list[str]:
    """Characters of `text` (after NFC) that a board cannot show, each once, in order; empty means showable.

    That is what the font lacks, and what would deceive or break a line even where the font has it: control
    characters other than tab and line feed, bidi overrides, invisible format characters, stray combining
    marks.
    """
    known = coverage(weight)
    bad = [
        character
        for character in unicodedata.normalize("NFC", text)
        if character not in _ALLOWED_CONTROLS
        and (ord(character) not in known or unicodedata.category(character) in _REFUSED)
    ]
    return list(dict.fromkeys(bad))


def describe(characters: list[str]) -> str:
    """The characters by number and name, for a refusal: ``U+202E RIGHT-TO-LEFT OVERRIDE, U+4E2D ...``."""
    return ", ".join(f"U+{ord(each):04X} {unicodedata.name(each, 'unnamed')}" for each in characters)
