"""Settings that may be changed by a signed order, over the configuration file: a closed list, checked as the file is.

What an order sets is kept in the journal and holds from the agent's next start; it restarts itself for that as soon as
nothing is on air. The serial lines, the outputs and the root are not on the list: they are what somebody wired.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from ward_hub.config import Config, HubSection, SourceSection, TrustSection
from ward_hub.errors import ConfigError
from ward_hub.journal import Journal, Ledger

log = logging.getLogger(__name__)
ALLOWED = frozenset({
    "hub.name", "hub.language", "hub.log_level", "source.uri", "audio.voice", "airing.tail_ms", "airing.repeat_gap_ms",
    "airing.board_hold_ms", "airing.max_attempts",
})  # fmt: skip
# A hub of whom nothing is known but what it must have.
_ANY = Config(
    hub=HubSection(id="any", area="any", state="any"),
    trust=TrustSection(root="any"),
    source=SourceSection(uri="coap://any"),
)


def check(settings: Mapping[str, str]) -> None:
    """Raise ConfigError for settings that no hub would take, whatever its configuration file says."""
    applied(_ANY, settings)


def applied(config: Config, settings: Mapping[str, str]) -> Config:
    """Return the configuration with settings over it; raises ConfigError for one that is not allowed or not good."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    for name, value in settings.items():
        if name not in ALLOWED:
            raise ConfigError(f"{name} cannot be set by an order; these can: {', '.join(sorted(ALLOWED))}")
        section, _, key = name.partition(".")
        plain[section][key] = value
    try:
        return msgspec.convert(plain, Config, strict=False)  # a number may come as text
    except msgspec.ValidationError as error:
        raise ConfigError(f"{', '.join(settings)}: {error}") from error


def usable(config: Config, kept: Mapping[str, str]) -> Config:
    """Return the configuration with those kept settings over it that can be used; the others are told in the log.

    An earlier version took them, or a worn card changed them: the file's own values hold, and the hub starts.
    """
    bad = passed_over(config, kept)
    for name, why in bad.items():
        log.error(
            "a setting that an order made is passed over, and the file's own holds: %s = %r: %s", name, kept[name], why
        )
    return applied(config, {name: value for name, value in kept.items() if name not in bad})


def passed_over(config: Config, kept: Mapping[str, str]) -> dict[str, str]:
    """Return why, for each of the kept settings that cannot be used over this configuration."""
    why: dict[str, str] = {}
    for name, value in kept.items():
        try:
            applied(config, {name: value})
        except ConfigError as error:
            why[name] = str(error)
    return why


class Settings:
    """What orders have set; `changed` is set when a new setting waits for a restart."""

    def __init__(self, config: Config, journal: Journal) -> None:
        self._config = config
        self._journal = journal
        self.changed = asyncio.Event()

    async def take(self, digest: bytes, settings: Mapping[str, str]) -> None:
        """Check and keep settings, over those kept before, usable or not; raises ConfigError."""
        applied(self._config, settings)
        kept = await self._journal.do(Ledger.settings)
        await self._journal.do(Ledger.keep_settings, digest, {**kept, **settings})
        self.changed.set()
