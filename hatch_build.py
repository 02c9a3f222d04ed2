"""Build step: compiles each gettext catalogue (`*.po`) to the `*.mo` beside it, for every kind of install.

The compiled files are build products: in .gitignore, in the wheel, never in git.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CATALOGUES = "hub/ward_hub/locale/*/LC_MESSAGES/*.po"


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles before anything is collected, so that the `artifacts` of the wheel target find the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue; a mistake in one fails the build with its file and line."""
        for source in sorted(Path(self.root).glob(CATALOGUES)):
            compile_catalogue(source)


def compile_catalogue(source: Path) -> Path:
    """Compile one `.po`, return the `.mo` written; fuzzy and obsolete entries are left out, as in msgfmt."""
    with source.open("rb") as stream:
        catalogue = read_po(stream, abort_invalid=True)
    target = source.with_suffix(".mo")
    made = source.with_suffix(".made")
    with made.open("wb") as stream:
        write_mo(stream, catalogue)
    made.replace(target)  # at once: what runs from this tree may be reading it while a wheel is built
    return target
