"""What a hub is configured with, as digests: so that a change is seen at the next start, and secrets are not kept."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec

from ward_hub.config import Config

ROOT_FILE = "the root file"


def prints(config: Config, passed_over: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256, in hex, of each section by its name in brackets, and of the root file that it names.

    So that it is told as well, once, the same of why each setting was passed over that an order had made, by its name.
    What stands at its default does not count, so that a key which a later version brings is no change.
    """
    found = {f"[{name}]": _print(msgspec.json.encode(_plain(one))) for name, one in _told(config)}
    found |= {f"setting {name}, passed over": _print(why.encode()) for name, why in passed_over.items()}
    with contextlib.suppress(OSError):  # whether the agent can go on without it is not decided here
        found[ROOT_FILE] = _print(Path(config.trust.root).read_bytes())
    return found


def _print(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in cast("tuple[object, ...]", value)]
    return {name: _plain(one) for name, one in _told(value)} if isinstance(value, msgspec.Struct) else value


def _told(section: msgspec.Struct) -> Iterator[tuple[str, object]]:
    """Give what stands in a section, and is not its default, with its name."""
    for field in msgspec.structs.fields(section):
        value: object = getattr(section, field.name)
        if value != field.default:
            yield field.name, value
