"""Settings of one controller: `settings.json` on its file system over the defaults of its `pins` file.

They are read before the watchdog starts, so that a mistake ends at the prompt, with a message and every
output off, and not in a circle of restarts.
"""

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HOLD = "hold"
HOLD_S = 60
"""How long a held start waits for Ctrl-C, which noise on a console may have been before: then it serves again."""


def load(defaults: "Mapping[str, int]", path: str = "settings.json") -> "dict[str, int]":
    """`defaults` with the values of `path` put over them, if there is such a file.

    Raises ValueError for a file that is no JSON table, a key that nothing reads, a value that is no whole number.
    """
    values = dict(defaults)
    try:
        with open(path) as file:
            text = file.read()
    except OSError:
        return values
    try:
        given = json.loads(text)
    except ValueError:
        raise ValueError("%s: not JSON" % path)  # noqa: B904 - MicroPython keeps no cause
    if not isinstance(given, dict):
        raise ValueError("%s: not a table of keys and values" % path)  # noqa: TRY004 - a bad file, not a bad call
    for key in given:
        if key not in values:
            raise ValueError("%s: unknown key %s; known: %s" % (path, key, ", ".join(sorted(values))))
        # bool is an int in CPython and not in MicroPython; it is a mistake in both.
        if type(given[key]) is not int:
            raise ValueError("%s: %s must be a whole number" % (path, key))
        values[key] = given[key]
    return values


def hold() -> None:
    """Have the next start serve nobody and start no watchdog, which would cut the copying of files short."""
    with open(HOLD, "w"):
        pass


def held() -> bool:
    """Whether this start is to wait for somebody at the prompt; the one after it is not."""
    try:
        os.remove(HOLD)
    except OSError:
        return False
    return True
