"""How a run of a controller began, and on what."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Start(NamedTuple):
        """`cause` as in ward_protocol.portable.reset_cause; `boots` starts counted on the flash; `model` the board."""

        cause: int
        boots: int
        model: bytes
        serial: bytes

else:
    from collections import namedtuple

    Start = namedtuple("Start", ("cause", "boots", "model", "serial"))
