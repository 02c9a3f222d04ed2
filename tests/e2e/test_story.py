"""The main job, as a user runs it: the simulator plays its story, and the report says that all of it happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GUARD_S = 400


@pytest.mark.capability("espeak-ng")
def test_the_story_happens_and_ends_with_a_table(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    run = subprocess.run(
        [sys.executable, "-m", "ward_sim", "--report", str(report), "--keep", str(tmp_path / "kept"), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    facts: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert facts["good"]
    assert [step["ok"] for step in facts["steps"]] == [True] * len(facts["steps"])
    assert not any(facts["problems"].values())
    outcomes = [(one["decision"], one["outcome"], one["reason"]) for one in facts["bulletins"]]
    assert outcomes == [
        ("accepted", "aired", None),
        ("accepted", "aired", None),
        ("refused", "refused", "unknown-key"),
        ("refused", "refused", "replayed"),
        ("accepted", "aired", None),
    ]
    assert "Lũ khẩn cấp" in run.stdout
    log = (tmp_path / "kept" / "hub.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "stopped: relays open, boards dark" in log


def test_a_ward_file_with_an_unknown_key_is_one_clear_line(tmp_path: Path) -> None:
    ward = tmp_path / "ward.toml"
    ward.write_text("seed = 1\ncolour = 'red'\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "ward_sim", "--ward", str(ward)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 78
    assert run.stderr.count("\n") == 1
    assert "colour" in run.stderr
