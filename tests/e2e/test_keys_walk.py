"""The chapter on keys of docs/operations.md done as it stands there, in the folder of the walk before it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.e2e.test_operations_walk import DOC, steps
from tests.e2e.walks import environment

CHAPTER = re.compile(r"^## Keys at rest\n(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"<!-- keys: run -->\n```sh\n(.*?)```\n", re.DOTALL)
GUARD_S = 120


def chapter() -> str:
    match = CHAPTER.search(DOC.read_text(encoding="utf-8"))
    assert match is not None
    return match[1]


def test_every_block_of_the_chapter_is_done() -> None:
    assert len(BLOCK.findall(chapter())) == chapter().count("\n```sh\n") == 4


@pytest.mark.capability("softhsm2-util")
def test_the_chapter_is_done_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "walk"
    folder.mkdir()
    script: list[str] = []
    beside = False  # source and hub are not needed here, nor anything that needs them
    for order, content in steps():
        what, _, name = order.partition(" ")
        beside = beside or what == "beside"
        if what == "file":
            script.append(f"mkdir -p $(dirname {name})\ncat > {name} <<'EOF'\n{content}EOF")
        elif what == "run" and not beside:
            script.append(content)
    # One shell, as a reader has one: what it exports and sets stays.
    done = subprocess.run(
        ["bash", "-euc", "\n".join([*script, *BLOCK.findall(chapter())])], cwd=folder, env=environment(tmp_path),
        capture_output=True, text=True, timeout=GUARD_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.count("It verifies: by key ") == 2
    assert "It verifies: by hub hub-token." in done.stdout
    assert re.search(r"^token.toml: good\..* key [0-9a-f]{16} on its token\.$", done.stdout, re.MULTILINE)
    assert done.stderr.endswith("it does not open: a passphrase is wrong, or the file was changed\n")
    assert not (folder / "other.cose").exists()
    assert (folder / "glass.key").stat().st_mode & 0o777 == 0o600
