"""Run by the installed wheel's own interpreter, isolated: does what ships import, and is its data there?

Usage: python -I check_installed.py   (status 0, or 1 with one line for each thing missing)
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from importlib import metadata, resources

# What a hub runs; the simulator needs the extra `sim` and the firmware another interpreter.
SHIPPED = ("ward_protocol", "ward_hw", "ward_hub")

# Modules that need an extra, and what it brings: without it they fail for that alone.
EXTRAS = {"ward_hub.keys.cryptoki": "pkcs11"}

# Ends that data files must be found under, and where.
DATA = (
    ("ward_hw", "profiles", ".toml"),
    ("ward_hub", "locale", ".po"),
    ("ward_hub", "locale", ".mo"),
    ("ward_hub", "data", ".service"),
)


def main() -> int:
    """Print what is wrong, one line each; give the exit status."""
    faults = [*_import_faults(), *_data_faults(), *_type_marker_faults()]
    print("\n".join(faults) or f"wardhub {metadata.version('wardhub')}: everything that ships is there")
    return 1 if faults else 0


def _import_faults() -> list[str]:
    faults: list[str] = []
    for package in SHIPPED:
        for module in _modules(package):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name is None or error.name != EXTRAS.get(module):
                    faults.append(f"import {module}: {error}")
            except Exception as error:  # noqa: BLE001 - whatever an import raises is what is looked for
                faults.append(f"import {module}: {type(error).__name__}: {error}")
    return faults


def _modules(package: str) -> list[str]:
    """Names of a package and of all modules below it; `__main__` runs at import and is left out."""
    found = importlib.import_module(package)
    below = pkgutil.walk_packages(found.__path__, prefix=f"{package}.")
    return [package, *(module.name for module in below if not module.name.endswith("__main__"))]


def _data_faults() -> list[str]:
    return [
        f"no {end} file in {package}/{folder}"
        for package, folder, end in DATA
        if not any(str(file).endswith(end) and folder in file.parts for file in _files(package))
    ]


def _files(package: str) -> list[metadata.PackagePath]:
    return [file for file in metadata.files("wardhub") or () if file.parts[0] == package]


def _type_marker_faults() -> list[str]:
    return [f"no py.typed in {name}" for name in SHIPPED if not (resources.files(name) / "py.typed").is_file()]


if __name__ == "__main__":
    sys.exit(main())
