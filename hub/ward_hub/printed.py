"""Words that strangers may have written, on terminals and in logs: nothing is obeyed, no line passes for ours."""

from __future__ import annotations

import json


def one_line(text: str) -> str:
    """Return `text` as one line: a question mark for what would be obeyed, break the line or turn its direction."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def plain_json(value: object, *, indent: int | None = None) -> str:
    """Return `value` as JSON for a terminal or a program: what `one_line` would replace stands as an escape there.

    One line, unless `indent` spaces are given for each depth. Letters that people read stay as they are.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
