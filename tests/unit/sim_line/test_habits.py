"""Habits of stations by hand: what is sent instead, what is heard instead; contacts; faults of a ward's file."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ward_protocol.portable.crc16 import seal
from ward_sim.devices.contacts import Contacts
from ward_sim.line import habits
from ward_sim.ward import DEFAULT, WardError, load

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = seal(bytes((17, 4, 2, 3, 7)))
OTHERS = seal(bytes((18, 4, 2, 3, 7)))


def sent(*each: habits.Habit, data: bytes = ANSWER) -> list[tuple[float, bytes]]:
    pieces = [(0.0, data)]
    for habit in each:
        pieces = habit.spoil(pieces, random.Random(1))
    return pieces


def test_habits_by_hand() -> None:
    assert sent(habits.Late(seconds=0.5)) == [(0.5, ANSWER)]
    assert sent(habits.Mute()) == []
    assert sent(habits.Deaf()) == [(0.0, ANSWER)]
    assert habits.Deaf().heard(ANSWER, random.Random(1)) == b""
    assert sent(habits.LeadingZero()) == [(0.0, b"\0" + ANSWER)]
    assert sent(habits.Duplicated()) == [(0.0, ANSWER), (0.0, ANSWER)]
    assert sent(habits.Foreign(other=18)) == [(0.0, OTHERS), (habits.APART_S, ANSWER)]
    (first, head), (pause, tail) = sent(habits.Torn(seconds=0.01))
    assert (first, pause, head + tail) == (0.0, 0.01, ANSWER)
    assert head != b"" != tail
    assert sent(habits.Torn(seconds=0.01), data=b"x") == [(0.0, b"x")]
    ((pause, data),) = sent(habits.Truncated())
    assert pause == 0.0
    assert len(data) < len(ANSWER)
    assert ANSWER.startswith(data)


def test_habits_add_up() -> None:
    both = sent(habits.LeadingZero(), habits.Late(seconds=0.1), habits.Duplicated())
    assert both == [(0.1, b"\0" + ANSWER)] * 2
    assert sent(habits.Mute(), habits.LeadingZero(), habits.Duplicated(), habits.Truncated()) == []


@pytest.mark.parametrize("kind", [habits.Late, habits.Mute, habits.LeadingZero, habits.Truncated, habits.Duplicated])
def test_a_share_meets_that_many(kind: type[habits.Sound]) -> None:
    rng = random.Random(1)
    habit = habits.Late(0.25, 1.0) if kind is habits.Late else kind(0.25)
    met = sum(habit.spoil([(0.0, ANSWER)], rng) != [(0.0, ANSWER)] for _ in range(1000))
    assert 200 < met < 300


def test_who_is_partly_deaf_hears_the_rest() -> None:
    rng = random.Random(1)
    heard = [habits.Deaf(0.25).heard(ANSWER, rng) for _ in range(1000)]
    assert set(heard) == {b"", ANSWER}
    assert 200 < heard.count(b"") < 300


def test_an_impostor_answers_for_the_other_only_when_that_was_asked() -> None:
    impostor = habits.Impostor(own=18, other=17)
    request = seal(bytes((17, 4, 0, 0, 0, 1)))
    assert impostor.heard(request, random.Random(1)) == seal(bytes((18, 4, 0, 0, 0, 1)))
    assert sent(impostor, data=OTHERS) == [(0.0, ANSWER)]
    impostor.heard(seal(bytes((18, 4, 0, 0, 0, 1))), random.Random(1))
    assert sent(impostor, data=OTHERS) == [(0.0, OTHERS)]


def test_what_is_no_frame_is_not_readdressed() -> None:
    for data in (b"", b"\x11", ANSWER[:-1], ANSWER + b"\1"):
        assert habits.readdressed(data, 5) == data


def test_contacts_follow_their_coils_unless_they_are_broken() -> None:
    moves: list[tuple[int, bool]] = []
    contacts = Contacts(2, lambda relay, closed: moves.append((relay, closed)))
    contacts.drive(0, True)
    contacts.drive(0, True)
    contacts.weld(0)
    contacts.stick(1)
    contacts.drive(1, True)
    contacts.drive(0, False)
    assert contacts.closed == (True, False)
    assert contacts.driven == (False, True)
    contacts.heal(0)
    contacts.heal(1)
    assert contacts.closed == (False, True)
    contacts.release()
    assert contacts.closed == contacts.driven == (False, False)
    assert moves == [(0, True), (0, False), (1, True), (1, False)]


def ward_with(folder: Path, text: str) -> Path:
    path = folder / "ward.toml"
    path.write_text(DEFAULT.read_text(encoding="utf-8") + text, encoding="utf-8")
    return path


def test_faults_come_from_the_wards_file(tmp_path: Path) -> None:
    text = '[[fault]]\nkind = "late"\nunit = 17\nlate_ms = 350\nshare = 0.5\nfrom_s = 10\nuntil_s = 20\n'
    (fault,) = load(ward_with(tmp_path, text)).fault
    assert (fault.kind, fault.units, fault.from_s, fault.until_s) == ("late", (17,), 10, 20)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "gremlin"', r"Invalid value 'gremlin' - at `\$\.fault\[0\]\.kind`"),
        ('kind = "late"\nunit = 17', r"missing required field `late_ms` - at `\$\.fault\[0\]`"),
        ('kind = "mute"\nunit = 17\nlate_ms = 5', r"unknown field `late_ms` - at `\$\.fault\[0\]`"),
        ('kind = "noise"\nber = 0.5', r"Expected `float` <= 0.1 - at `\$\.fault\[0\]\.ber`"),
        ('kind = "baud"\nbaudrate = 300', r"Invalid enum value 300 - at `\$\.fault\[0\]\.baudrate`"),
        ('kind = "baud"\nbaudrate = 9600\nunit = 5', r"fault 1 \(baud\): no amplifier has unit 5"),
        ('kind = "cut"\nbehind = []', r"length >= 1 - at `\$\.fault\[0\]\.behind`"),
        ('kind = "mute"\nunit = 5', r"fault 1 \(mute\): no amplifier has unit 5"),
        ('kind = "cut"\nbehind = [18, 9]', r"fault 1 \(cut\): no amplifier has unit 9"),
        ('kind = "echo"\nfrom_s = 5\nuntil_s = 5', r"fault 1 \(echo\): until_s must be later than from_s"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = ward_with(tmp_path, f"[[fault]]\n{text}\n")
    with pytest.raises(WardError, match=problem) as caught:
        load(path)
    assert str(path) in str(caught.value)
