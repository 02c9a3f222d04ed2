"""What strangers wrote, for a log or a terminal: no letter of it moves a cursor, turns the text round or hides it."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a text as one line that no terminal obeys; what is not to be seen is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
