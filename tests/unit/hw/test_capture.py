"""The capture file and the pipe: valid at every moment, and nothing but whole messages."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_hw.audio_worker import pipe
from ward_hw.audio_worker.capture import WavCapture


def frames(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        return bytes(file.readframes(file.getnframes()))


def test_a_capture_is_valid_while_it_grows_and_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "capture.wav"
    whole = b""
    for begin in (0, 50):
        capture = WavCapture(path, 48_000)
        assert frames(path) == whole
        for number in range(begin, begin + 50):
            piece = bytes((number, 0)) * number
            capture.write(piece)
            whole += piece
            assert frames(path) == whole
        capture.close()


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())),
)
def test_a_message_survives_the_pipe(message: dict[str, object]) -> None:
    assert pipe.read(io.BytesIO(pipe.pack(message) + b"tail")) == message


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 5])
def test_a_message_cut_off_is_the_end(cut: int) -> None:
    assert pipe.read(io.BytesIO(pipe.pack({"a": 1})[:cut])) is None


def test_a_message_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="bytes"):
        pipe.length_of(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="bytes"):
        pipe.pack({"a": "x" * pipe.MAX_MESSAGE})


def test_only_objects_are_messages() -> None:
    with pytest.raises(TypeError):
        pipe.unpack(b"[1]")
