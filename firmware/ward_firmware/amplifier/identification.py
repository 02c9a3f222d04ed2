"""Who the controller is, for any master that asks: function 43, MEI type 14.

Extended identification, read as a stream or one object at a time. All objects fit into one answer, so nothing
ever follows. A stream that is asked to begin at an object that is not there begins at the first one.

Ref: MODBUS Application Protocol Specification V1.1b3, section 6.21 (conformity levels, exception codes).
"""

from ward_firmware.amplifier.refusal import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MEI_TYPE = 14
VENDOR, PRODUCT_CODE, REVISION, PRODUCT_NAME, MODEL_NAME, SERIAL = 0, 1, 2, 4, 5, 0x80
CONFORMITY = 0x83
"""Extended identification, stream and individual access."""

_LAST_OF_CODE = (2, 0x7F, 0xFF)
_ONE = 4


def identify(pdu: bytes, objects: "Sequence[tuple[int, bytes]]") -> bytes:
    """The answer PDU to `pdu` of function 43; `objects` are numbers and texts in rising order."""
    if len(pdu) != 4 or pdu[1] != MEI_TYPE:
        raise Refused(ILLEGAL_FUNCTION)
    code, first = pdu[2], pdu[3]
    if not 1 <= code <= _ONE:
        raise Refused(ILLEGAL_VALUE)
    if code == _ONE:
        chosen = [one for one in objects if one[0] == first]
        if not chosen:
            raise Refused(ILLEGAL_ADDRESS)
    else:
        chosen = [one for one in objects if one[0] <= _LAST_OF_CODE[code - 1]]
        if first in [number for number, _ in chosen]:
            chosen = [one for one in chosen if one[0] >= first]
    answer = bytes((43, MEI_TYPE, code, CONFORMITY, 0, 0, len(chosen)))
    return answer + b"".join([bytes((number, len(text))) + text for number, text in chosen])
