"""Texts for people: English in the source, Vietnamese by default, from gettext catalogues.

Catalogues are written as `.po` and compiled to `.mo` when the package is built or installed in editable mode.
A source tree in which that has not happened still works, in English, and says so once.
"""

from __future__ import annotations

import gettext
import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN = "wardhub"
LANGUAGES = ("vi", "en")
DEFAULT_LANGUAGE = "vi"
SOURCE_LANGUAGE = "en"
LOCALE_DIR = Path(__file__).parent / "locale"
_log = logging.getLogger(__name__)


def translator(language: str = DEFAULT_LANGUAGE, *, locale_dir: Path = LOCALE_DIR) -> Callable[[str], str]:
    """The function usually bound to ``_``: English in, `language` out.

    A string that the catalogue lacks comes back in English. Raises ValueError for a language not in LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}; correct the setting")
    return _catalogue(language, locale_dir).gettext


@cache
def _catalogue(language: str, locale_dir: Path) -> gettext.NullTranslations:
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, locale_dir, [language])
    except FileNotFoundError:
        where = locale_dir / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        _log.warning(
            "texts are in English: %s is missing; reinstall the package, or run "
            "`python -m babel.messages.frontend compile -D %s -d %s` in the source tree",
            where,
            DOMAIN,
            locale_dir,
        )
        return gettext.NullTranslations()
