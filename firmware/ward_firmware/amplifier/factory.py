"""What an amplifier controller is before anybody has configured it: `settings.json` over the map's defaults."""

from ward_protocol.portable import amplifier as registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def defaults() -> "dict[str, int]":
    """The map's defaults by name, as `settings.json` would give them: `baud` in bit/s."""
    values: dict[str, int] = dict(zip(registers.CONFIG_NAMES, registers.CONFIG_DEFAULTS))
    values["baud"] *= 100
    return values


def factory(values: "Mapping[str, int]") -> "list[int]":
    """The configuration registers that `values` mean, in their order; ValueError names a wrong one."""
    given = []
    for index, name in enumerate(registers.CONFIG_NAMES):
        value = values[name]
        if name == "baud":
            value = 0 if value % 100 else value // 100
        if not registers.config_valid(index, value):
            raise ValueError("settings.json: %s: %d is out of range" % (name, values[name]))
        given.append(value)
    return given
