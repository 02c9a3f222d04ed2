"""Methods and response codes, class << 5 | detail."""

from enum import IntEnum

class Code(IntEnum):
    GET = 1
    POST = 2
    PUT = 3
    CREATED = 65
    VALID = 67
    CHANGED = 68
    CONTENT = 69
    CONTINUE = 95
    BAD_REQUEST = 128
    UNAUTHORIZED = 129
    BAD_OPTION = 130
    FORBIDDEN = 131
    NOT_FOUND = 132
    METHOD_NOT_ALLOWED = 133
    NOT_ACCEPTABLE = 134
    REQUEST_ENTITY_INCOMPLETE = 136
    CONFLICT = 137
    REQUEST_ENTITY_TOO_LARGE = 141
    UNPROCESSABLE_ENTITY = 150
    SERVICE_UNAVAILABLE = 163
