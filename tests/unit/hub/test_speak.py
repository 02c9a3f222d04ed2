"""`wardhub speak`: its arguments, its key file, and what it refuses before anything is sent."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from tests.sim.hw.sounds import tone
from tests.sim.hw.streams import free_port

from ward_hub.cli.main import main
from ward_protocol.statements.stream import MASTER_SIZE


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "stream.key"
    assert main(["speak", "--new-key", str(path)]) == os.EX_OK
    return path


def test_a_new_key_is_private_random_and_never_overwritten(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_bytes()
    assert len(base64.b64decode(text, validate=False)) == MASTER_SIZE
    assert main(["speak", "--new-key", str(key)]) == os.EX_CANTCREAT
    assert key.read_bytes() == text
    assert "a key is never overwritten" in capsys.readouterr().err
    other = tmp_path / "other.key"
    main(["speak", "--new-key", str(other)])
    assert other.read_bytes() != text


def test_what_it_sends_is_told(tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = f"127.0.0.1:{free_port()}"
    sound = str(tone(tmp_path / "a.wav", 0.1))
    assert main(["speak", "--to", to, "--to", "[::1]:5004", "--key-file", str(key), sound]) == os.EX_OK
    assert capsys.readouterr().out == f"{to}, [::1]:5004: 0.1 s were sent\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["a.wav"], os.EX_USAGE, "a sound, --to and --key-file are needed"),
        (["--to", "127.0.0.1", "a.wav"], os.EX_USAGE, "ADDRESS:PORT is needed"),
        (["--to", "studio.example:5004", "a.wav"], os.EX_USAGE, "ADDRESS:PORT is needed"),
        (["--to", "127.0.0.1:80", "a.wav"], os.EX_USAGE, "1024 to 65535"),
        (["--to", "127.0.0.1:5004", "--payload-type", "8", "a.wav"], os.EX_USAGE, "means something else"),
        (["--to", "127.0.0.1:5004", "--codec", "PCMA", "--rate", "48000", "a.wav"], os.EX_USAGE, "no 1 channels"),
        (["--to", "127.0.0.1:5004", "--ssrc", "-1", "a.wav"], os.EX_USAGE, "no order could hold that"),
        (["--to", "127.0.0.1:5004", "/absent.wav"], os.EX_UNAVAILABLE, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    key: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    with_key = ["--key-file", str(key)] if "--to" in arguments else []
    assert main(["speak", *with_key, *arguments]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0o600, "cannot be read"),
        (base64.b64encode(bytes(30)), 0o640, "others could read this key"),
        (base64.b64encode(bytes(29)), 0o600, "has 30 bytes, not 29"),
        (b"not base64", 0o600, "holds no key"),
        ("khóa".encode(), 0o600, "holds no key"),
        (b"", 0o600, "not empty"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, mode: int, words: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    arguments = ["speak", "--to", "127.0.0.1:5004", "--key-file", str(path), "a.wav"]
    assert main(arguments) == os.EX_NOINPUT
    assert words in capsys.readouterr().err
