"""Settings of one controller: `settings.json` on its file system over the defaults of its `pins` file.

They are read before the watchdog starts, so that a mistake ends at the prompt, with a message and every
output off, and not in a circle of restarts.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "settings.json"


def load(defaults: "Mapping[str, int]", path: str = FILE) -> "dict[str, int]":
    """`defaults` with the values of `path` put over them, if there is such a file.

    Raises ValueError for a key that nothing reads and for a value that is no whole number.
    """
    values = dict(defaults)
    try:
        with open(path) as file:
            given = json.load(file)
    except OSError:
        return values
    for key in given:
        if key not in values:
            raise ValueError("%s: unknown key %s; known: %s" % (path, key, ", ".join(sorted(values))))
        # bool is an int in CPython and not in MicroPython; it is a mistake in both.
        if type(given[key]) is not int:
            raise ValueError("%s: %s must be a whole number" % (path, key))
        values[key] = given[key]
    return values
