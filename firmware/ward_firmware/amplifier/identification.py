"""Who the controller is, for any master that asks: function 43, MEI type 14.

Extended identification, read as a stream or one object at a time. All objects fit into one answer, so nothing
ever follows. A stream that is asked to begin at an object that is not there begins at the first one.

Ref: MODBUS Application Protocol Specification V1.1b3, section 6.21 (conformity levels, exception codes).
"""

from ward_firmware.amplifier.refusal import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ward_firmware.start import Start

_LAST_OF_CODE = (2, 0x7F, 0xFF)
"""By code: basic, regular, extended identification as a stream. Code 4 is for one object."""


def objects(version: int, start: "Start") -> "list[tuple[int, bytes]]":
    """What there is to know, by its number in the standard's order; 0x80 is the serial number."""
    return [
        (0, b"wardhub"),  # vendor name
        (1, b"amp8"),  # product code
        (2, b"%d.%d" % (version >> 8, version & 0xFF)),  # revision
        (4, b"amplifier controller, 8 relays"),  # product name
        (5, start.model),  # model name
        (0x80, start.serial),
    ]


def identify(pdu: bytes, known: "Sequence[tuple[int, bytes]]") -> bytes:
    """The answer PDU to `pdu` of function 43; `known` are numbers and texts in rising order."""
    if len(pdu) != 4 or pdu[1] != 14:
        raise Refused(ILLEGAL_FUNCTION)
    code, first = pdu[2], pdu[3]
    if not 1 <= code <= 4:
        raise Refused(ILLEGAL_VALUE)
    if code == 4:
        chosen = [one for one in known if one[0] == first]
        if not chosen:
            raise Refused(ILLEGAL_ADDRESS)
    else:
        chosen = [one for one in known if one[0] <= _LAST_OF_CODE[code - 1]]
        if first in [number for number, _ in chosen]:
            chosen = [one for one in chosen if one[0] >= first]
    # Conformity 0x83: extended identification, stream and individual access. Nothing follows.
    answer = bytes((43, 14, code, 0x83, 0, 0, len(chosen)))
    return answer + b"".join([bytes((number, len(text))) + text for number, text in chosen])
