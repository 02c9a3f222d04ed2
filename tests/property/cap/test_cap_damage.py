"""Whatever happens to a CAP file on its way, reading it ends in an alert or in a CapError: nothing else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from ward_protocol.cap import CapError, cap_texts, parse, suggested_priority

SAMPLE = (Path(__file__).parents[2] / "conformance" / "vectors" / "cap" / "canada.cap").read_bytes()


def read(data: bytes) -> None:
    try:
        alert = parse(data)
    except CapError:
        return
    cap_texts(alert)
    suggested_priority(alert)


@given(st.binary(max_size=300))
@example(b"<?xml version='1.0' encoding='utf-32'?>\xff\xff")
@example(b"\xef\xbb\xbf")
@example(b"")
def test_any_bytes(data: bytes) -> None:
    read(data)


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_a_piece_replaced(at: int, gone: int, put: bytes) -> None:
    read(SAMPLE[:at] + put + SAMPLE[at + gone :])


@given(st.text(max_size=60))
def test_any_text_in_any_place(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").encode("utf-8", "surrogatepass")
    for element in (b"severe thunderstorm watch", b"2012-05-03T00:20:00-00:00", b"en-CA", b"cap@ec.gc.ca,"):
        read(SAMPLE.replace(element, escaped))
