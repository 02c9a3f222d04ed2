"""A bundle as a file that anybody may have made: one name, a plain file, read within bounds, gone at any moment."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ward_hub.usb.container import MOST, NAME, BundleError, Kind, joined
from ward_hub.usb.stick import NoStick, Stick

RECORDING = os.urandom(200_000)
PARTS = [(Kind.STATEMENT, b"statement"), (Kind.RECORDING, RECORDING)]


def bundle(folder: Path, data: bytes | None = None) -> Path:
    (folder / NAME).write_bytes(joined(PARTS) if data is None else data)
    return folder


def made_empty(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize("path_of", [lambda folder: folder, lambda folder: folder / NAME])
def test_it_is_read_by_its_directory_or_its_name(tmp_path: Path, path_of: Callable[[Path], Path]) -> None:
    with Stick(path_of(bundle(tmp_path))) as stick:
        copy = made_empty(tmp_path / "copy")
        statement, recording = stick.index()
        assert stick.data(statement) == b"statement"
        stick.copy(recording, copy)
    assert (tmp_path / "copy").read_bytes() == RECORDING


def a_link(folder: Path) -> None:
    (folder / "secret").write_bytes(joined(PARTS))
    (folder / NAME).symlink_to(folder / "secret")


def a_directory(folder: Path) -> None:
    (folder / NAME).mkdir()


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / NAME)


def a_socket(folder: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as one:
        one.bind(str(folder / NAME))


def a_device(folder: Path) -> None:
    (folder / NAME).symlink_to("/dev/zero")


def too_large(folder: Path) -> None:
    with (folder / NAME).open("wb") as file:
        file.truncate(MOST + 1)


@pytest.mark.parametrize("made", [a_link, a_directory, a_pipe, a_socket, a_device, too_large])
def test_what_is_no_plain_file_of_a_fit_size_is_refused_without_waiting(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    made(tmp_path)
    with pytest.raises(BundleError, match=NAME), Stick(tmp_path):
        pass


@pytest.mark.parametrize("made", [a_directory, a_pipe, a_socket])
def test_what_is_no_plain_file_is_no_missing_stick(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path)
    with pytest.raises(BundleError, match="it is no plain file") as caught, Stick(tmp_path):
        pass
    assert not isinstance(caught.value, NoStick)


def test_what_is_no_plain_file_is_not_even_opened(tmp_path: Path) -> None:
    """To open a device may be to set it off; of a pipe it is seen, as whoever waits at its other end goes on."""
    a_pipe(tmp_path)
    opened = threading.Event()

    def write() -> None:
        os.close(os.open(tmp_path / NAME, os.O_WRONLY))
        opened.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            with pytest.raises(BundleError, match="it is no plain file"), Stick(tmp_path):
                pass
            assert not opened.wait(0.01)
    finally:
        os.close(os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK))
        writer.join()


@pytest.mark.parametrize("path", ["", "nowhere", "file"])
def test_nothing_there(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoStick, match="see whether the stick is in"), Stick(tmp_path / path):
        pass


def test_damaged_items_are_told_by_their_hash(tmp_path: Path) -> None:
    data = bytearray(joined(PARTS))
    data[60] ^= 1
    data[-1] ^= 1
    with Stick(bundle(tmp_path, bytes(data))) as stick:
        copy = made_empty(tmp_path / "copy")
        statement, recording = stick.index()
        with pytest.raises(BundleError, match="a statement is damaged"):
            stick.data(statement)
        with pytest.raises(BundleError, match="a recording is damaged"):
            stick.copy(recording, copy)


def test_a_file_that_shrinks_while_it_is_read_is_damaged(tmp_path: Path) -> None:
    with Stick(bundle(tmp_path)) as stick:
        copy = made_empty(tmp_path / "copy")
        statement, recording = stick.index()
        os.truncate(tmp_path / NAME, 50)
        with pytest.raises(BundleError, match="damaged"):
            stick.data(statement)
        with pytest.raises(BundleError, match="damaged"):
            stick.copy(recording, copy)


def test_a_file_that_is_replaced_while_it_is_read_is_the_old_one(tmp_path: Path) -> None:
    with Stick(bundle(tmp_path)) as stick:
        statement, _ = stick.index()
        (tmp_path / "new").write_bytes(bytes(1000))
        (tmp_path / "new").replace(tmp_path / NAME)
        assert stick.data(statement) == b"statement"


def test_a_file_of_nothing_is_no_bundle(tmp_path: Path) -> None:
    with Stick(bundle(tmp_path, b"")) as stick, pytest.raises(BundleError, match=f"{NAME}: it is no bundle"):
        stick.index()


def test_another_file_has_another_signature(tmp_path: Path) -> None:
    with Stick(bundle(tmp_path)) as stick:
        first = stick.signature
    with Stick(tmp_path) as stick:
        assert stick.signature == first
    (tmp_path / "new").write_bytes(joined(PARTS))
    (tmp_path / "new").replace(tmp_path / NAME)
    with Stick(tmp_path) as stick:
        assert stick.signature != first
