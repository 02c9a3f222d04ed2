"""Why a request is not obeyed, in the words of the protocol.

ILLEGAL_VALUE is also what a setting outside its range gets. DEVICE_FAILURE is for orders that are well formed and
stand in the map, and still cannot be carried out now: interlock, trip, a flash that does not take a record.

Ref: MODBUS Application Protocol Specification V1.1b3, section 7, and the state diagrams of sections 6.5, 6.6,
6.11, 6.12 (an output that cannot be written ends in exception code 04).
"""

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4


class Refused(Exception):
    """A request that ends in a Modbus exception with code `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
