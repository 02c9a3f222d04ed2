"""The dictionary of page and terminal: both languages complete, every key used, every used key there."""

from __future__ import annotations

import re
import string
import unicodedata

import pytest

from ward_sim import words
from ward_sim.page.server import STATIC

DICTIONARY = words.dictionary()
# Families whose member is chosen by what the snapshot says: sayOne("phase", …), say(`severity.${…}`).
FAMILIES = {"phase", "priority", "decision", "outcome", "severity", "status", "story", "feed", "bulletins"}


def sources() -> str:
    python = [STATIC.parent.parent / name for name in ("cases.py", "terminal.py")]
    pages = [path for path in STATIC.iterdir() if path.suffix in {".js", ".html"}]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*python, *pages])


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(DICTIONARY))
def test_both_languages_say_it_with_the_same_places(key: str) -> None:
    entry = DICTIONARY[key]
    assert set(entry) == {"vi", "en"}
    assert places(entry["vi"]) == places(entry["en"])
    for text in entry.values():
        assert text.strip() == text
        assert text
        assert unicodedata.is_normalized("NFC", text)


def test_every_key_that_is_used_exists() -> None:
    used = set(re.findall(r"""\bsay\(\s*["']([a-z]+\.[a-z_ ]+)["']""", sources()))
    used |= set(re.findall(r'data-word(?:-label)?="([^"]+)"', sources()))
    assert len(used) > 40
    assert used <= set(DICTIONARY)


def test_no_key_is_forgotten() -> None:
    text = sources()
    idle = {key for key in DICTIONARY if key not in text and key.partition(".")[0] not in FAMILIES}
    assert idle == set()


def test_an_unknown_member_of_a_family_is_said_as_it_is() -> None:
    assert words.say_one("phase", "end", "vi") == "Kết thúc"
    assert words.say_one("phase", "rehearsal", "en") == "rehearsal"


def test_places_are_filled() -> None:
    assert words.say("terminal.zones", "vi", on=3, all=8) == "loa 3/8"


@pytest.mark.parametrize(
    ("status", "mark"), [("Actual", ""), ("Test", "[THỬ NGHIỆM] "), ("Exercise", "[DIỄN TẬP] "), ("Other", "[Other] ")]
)
def test_only_what_is_real_is_told_without_its_status(status: str, mark: str) -> None:
    assert words.drill_mark(status, "vi") == mark
