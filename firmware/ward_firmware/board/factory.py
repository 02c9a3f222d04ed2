"""What a board controller is before anybody has configured it: `settings.json` over the defaults."""

from ward_protocol.portable import board as messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def defaults() -> "dict[str, int]":
    """As `settings.json` would give them."""
    return dict(zip(messages.CONFIG_NAMES, messages.CONFIG_DEFAULTS))


def factory(values: "Mapping[str, int]") -> "list[int]":
    """The configuration that `values` mean; ValueError names a wrong one."""
    given = []
    for index, name in enumerate(messages.CONFIG_NAMES):
        if not messages.config_valid(index, values[name]):
            raise ValueError("settings.json: %s: %d is out of range" % (name, values[name]))
        given.append(values[name])
    return given
