"""Parts of sound files: whatever is cut and played in between, every sample comes once, and cuts do not click."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sim.hw.sounds import tone

from ward_hw.audio_worker import decode, tape
from ward_hw.audio_worker.decode import BadAudio
from ward_hw.audio_worker.order import Part, PlayOrder
from ward_hw.audio_worker.pipe import pack, unpack
from ward_hw.audio_worker.tape import CUT_MS, Tapes

RATE = 48_000
MS = RATE // 1000
LENGTH_MS = 700


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sounds")
    return [tone(folder / f"a{suffix}", LENGTH_MS / 1000) for suffix in (".wav", ".opus", ".mp3")]


@pytest.fixture
def tapes() -> Iterator[Tapes]:
    opened = Tapes(RATE, 0.0)
    yield opened
    opened.close()


def played(tapes: Tapes, *parts: Part) -> list[array[int]]:
    return [array("h", b"".join(tapes.samples(part))) for part in parts]


cuts_of_it = st.lists(st.integers(1, LENGTH_MS - 50), max_size=5, unique=True).map(sorted)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 2), cuts=cuts_of_it, between=st.booleans())
def test_parts_are_the_whole_and_only_their_cuts_are_softer(
    files: list[Path], which: int, cuts: list[int], between: bool
) -> None:
    tapes, file = Tapes(RATE, 0.0), files[which]
    (whole,) = played(tapes, Part(file))
    parts = [Part(file, begin, end or None) for begin, end in pairwise([0, *cuts, 0])]
    found = array("h")
    for part in parts:
        (piece,) = played(tapes, part)
        assert part.end_ms is None or len(piece) == (part.end_ms - part.begin_ms) * MS
        found += piece
        if between:
            played(tapes, Part(files[0]))  # as a notice is
    tapes.close()
    assert len(found) == len(whole)
    for index, (left, right) in enumerate(zip(whole, found, strict=True)):
        if left != right:
            assert any(abs(index - cut * MS) <= CUT_MS * MS for cut in cuts)
            assert abs(right) <= abs(left)


@pytest.mark.parametrize("cut", [150, 333])
def test_a_cut_begins_and_ends_in_silence(files: list[Path], tapes: Tapes, cut: int) -> None:
    before, after = played(tapes, Part(files[0], 0, cut), Part(files[0], cut))
    assert before[-1] == after[0] == 0
    steepest = 0.5 * 32767 * 0.06 + 0.5 * 32767 / (CUT_MS * MS)  # the tone's own slope, and that of the fade
    assert max(abs(right - left) for left, right in pairwise([*before, *after])) < steepest
    assert max(before) > 16_000, "the tone is there"


def test_a_part_beyond_the_end_is_silent_and_one_over_it_ends_with_the_file(files: list[Path], tapes: Tapes) -> None:
    beyond, over = played(tapes, Part(files[0], 5000, 6000), Part(files[0], 600, 6000))
    assert (len(beyond), len(over)) == (0, (LENGTH_MS - 600) * MS)


def test_going_back_in_a_file_is_possible(files: list[Path], tapes: Tapes) -> None:
    later, earlier = played(tapes, Part(files[1], 300, 400), Part(files[1], 100, 200))
    assert len(later) == len(earlier) == 100 * MS
    assert earlier == played(tapes, Part(files[1], 100, 200))[0]


def test_a_file_that_goes_on_is_not_decoded_anew(
    files: list[Path], tapes: Tapes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def noted(path: Path) -> AbstractContextManager[decode.AudioFile]:
        opened.append(path)
        return decode.opened(path)

    monkeypatch.setattr(tape, "opened", noted)
    long = [Part(files[1], begin, begin + 100) for begin in range(0, 600, 100)]
    played(tapes, *(one for part in long for one in (part, Part(files[0]))))
    assert opened.count(files[1]) == 1


def test_what_is_left_in_the_middle_is_closed(files: list[Path]) -> None:
    """The fixture over every test fails on a file that stays open."""
    tapes = Tapes(RATE, 0.0)
    played(tapes, Part(files[0], 0, 100))
    running = tapes.samples(Part(files[1]))
    next(running)
    tapes.close()
    assert list(running) == []


def test_a_fault_of_the_file_is_told(tmp_path: Path, tapes: Tapes) -> None:
    (tmp_path / "bad").write_bytes(b"no sound")
    with pytest.raises(BadAudio, match="does not decode"):
        played(tapes, Part(tmp_path / "bad", 0, 100))
    with pytest.raises(BadAudio, match="cannot be read"):
        played(tapes, Part(tmp_path / "absent"))


@given(
    st.lists(st.tuples(st.text(min_size=1), st.integers(0, 10**7), st.none() | st.integers(0, 10**7)), max_size=5),
    st.floats(-60, 20),
    st.integers(0, 5000),
)
def test_an_order_is_read_as_it_was_sent(parts: list[tuple[str, int, int | None]], gain_db: float, lead: int) -> None:
    order = PlayOrder.of([Part(Path(path), begin, end) for path, begin, end in parts], gain_db, lead)
    message = unpack(pack(order.message(7))[4:])
    assert (message["id"], message["do"]) == (7, "play")
    assert PlayOrder.read(message) == order


def test_a_path_alone_is_the_whole_file() -> None:
    assert PlayOrder.of([Path("a"), Part(Path("b"), 1, 2)], 0.0, 0).parts == (Part(Path("a")), Part(Path("b"), 1, 2))


@pytest.mark.parametrize("parts", [7, [["a", 0]], [["a", "x", None]], [None]])
def test_an_order_of_nonsense_is_no_order(parts: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        PlayOrder.read({"parts": parts, "gain_db": 0, "lead_in_ms": 0})
