"""Lays out a controller's file system from its manifest: main.py, and what it imports in lib/.

The simulator runs exactly this tree, and `python -m ward_sim.devices.flash amplifier DIRECTORY` makes it for a
real board (firmware/README.md goes on from there). A file forgotten in the manifest fails in the simulator first.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS = ("amplifier", "board")
TARGETS = ("rp2040", "rp2350", "esp32")
"""The boards there is a hardware description for, the first one being the default."""
FIRMWARE = "ward_firmware"


def stage(kind: str, place: Path, settings: Mapping[str, int], target: str = TARGETS[0]) -> Path:
    """Fill the directory `place` for a controller of `kind` on `target`; returns its main.py."""
    home = _package(FIRMWARE) / kind
    for source, name in Manifest(home / "manifest.py", target).files:
        copy = place / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    if settings:
        (place / "settings.json").write_text(json.dumps(dict(settings)), encoding="utf-8")
    return place / "main.py"


class Manifest:
    """A manifest as MicroPython's build reads it, except that packages are found where they are installed.

    `files` are (source, name on the controller). It offers those words that our manifests use, and itself as
    their `options`.
    """

    def __init__(self, path: Path, target: str) -> None:
        self.files: list[tuple[Path, str]] = []
        self.target = target
        self._home = path.parent
        words = {"options": self, "metadata": _ignore, "package": self._take_package, "module": self._take_module}
        # Ours, and installed beside this file: it is as trusted as an import.
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), words)  # noqa: S102 - see above

    def defaults(self, *, target: str) -> None:
        """Word of a manifest; here the target is always given."""

    def _take_package(self, package: str, files: Iterable[str], *, base_path: str) -> None:
        self.files += [(_package(package) / name, f"lib/{package}/{name}") for name in files]

    def _take_module(self, name: str, *, base_path: str) -> None:
        self.files.append((self._home / base_path / name, name))


def _ignore(**_: object) -> None:
    """A word that says nothing of files."""


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {name} is not installed: the controllers' firmware comes from it")
    return Path(spec.submodule_search_locations[0])


def main(arguments: list[str]) -> int:
    """`KIND DIRECTORY [TARGET]`: stage for a real board, which has its settings in its own settings.json."""
    kind, place, target = (*arguments, *TARGETS[:1])[:3] if 2 <= len(arguments) <= 3 else ("", "", "")
    if kind not in KINDS or target not in TARGETS:
        usage = f"usage: python -m ward_sim.devices.flash {'|'.join(KINDS)} DIRECTORY [{'|'.join(TARGETS)}]"
        print(usage, file=sys.stderr)
        return 64
    print(stage(kind, Path(place), {}, target).parent)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
