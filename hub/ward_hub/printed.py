"""Words that strangers may have written, on terminals and in logs: nothing is obeyed, no line passes for ours."""

from __future__ import annotations

DEEPER = 4


def one_line(text: str) -> str:
    """Return `text` as one line: a question mark for what would be obeyed, break the line or turn its direction."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def indented(line: str) -> str:
    """Return a line of ours with words in it that may have several: what follows the first stands deeper than it."""
    first, *more = line.split("\n")
    deeper = " " * (len(first) - len(first.lstrip(" ")) + DEEPER)
    return "\n".join([one_line(first), *(deeper + one_line(one) for one in more)])
