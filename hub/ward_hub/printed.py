"""Words that strangers may have written, on terminals and in logs: nothing is obeyed, no line passes for ours."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return `text` as one line: a question mark for what would be obeyed, break the line or turn its direction."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
