"""Lays out a controller's file system from its manifest: main.py, and what it imports in lib/.

The simulator runs exactly this tree, and `python -m ward_sim.devices.flash amplifier DIRECTORY` makes it for a
real board (firmware/README.md goes on from there). A file forgotten in the manifest fails in the simulator first.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = ("amplifier", "board")
FIRMWARE = "ward_firmware"


def stage(kind: str, target: Path, settings: Mapping[str, int]) -> Path:
    """Fill the directory `target` for a controller of `kind`; returns its main.py."""
    home = _package(FIRMWARE) / kind
    for package, name in _manifest(home / "manifest.py"):
        source = _package(package) / name if package else home / name
        copy = target / "lib" / package / name if package else target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    if settings:
        (target / "settings.json").write_text(json.dumps(dict(settings)), encoding="utf-8")
    return target / "main.py"


def _manifest(path: Path) -> Iterator[tuple[str, str]]:
    """(package, file) of each line of the manifest; package "" for modules of the top level.

    Manifests are read, not run: these two words, with literal arguments, are all that ours use.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
            continue
        call = node.value
        word = call.func.id if isinstance(call.func, ast.Name) else ""
        if word == "package":
            package, files = (ast.literal_eval(argument) for argument in call.args)
            yield from ((package, name) for name in files)
        elif word == "module":
            yield "", ast.literal_eval(call.args[0])


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {name} is not installed: the controllers' firmware comes from it")
    return Path(spec.submodule_search_locations[0])


def main(arguments: list[str]) -> int:
    """`KIND DIRECTORY`: stage for a real board, which has its settings in its own settings.json."""
    if len(arguments) != 2 or arguments[0] not in KINDS:
        print(f"usage: python -m ward_sim.devices.flash {'|'.join(KINDS)} DIRECTORY", file=sys.stderr)
        return 64
    print(stage(arguments[0], Path(arguments[1]), {}).parent)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
