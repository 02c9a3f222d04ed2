"""Consistent Overhead Byte Stuffing: any bytes without a zero, at most one byte more in 254.

Ref: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Trans. Networking 7(2), 1999.
"""


def encoded_size(size: int) -> int:
    """Largest encoding, in bytes and without a delimiter, of `size` bytes."""
    return size + size // 254 + 1


def encode(data: bytes) -> bytes:
    """`data` without any zero byte; the caller appends the delimiter 0x00."""
    out = bytearray()
    start = 0
    size = len(data)
    while True:
        zero = data.find(b"\0", start)
        end = size if zero < 0 else zero
        # A full block of 254 bytes has code 0xFF and no implied zero behind it.
        while end - start >= 254:
            out.append(255)
            out.extend(data[start : start + 254])
            start += 254
            if start == size:
                return bytes(out)
        out.append(end - start + 1)
        out.extend(data[start:end])
        if zero < 0:
            return bytes(out)
        start = zero + 1


def decode(data: bytes) -> bytes:
    """The bytes that `encode` was given. Raises ValueError when `data` is no such encoding."""
    if not data:
        raise ValueError("cobs: empty")
    out = bytearray()
    at = 0
    size = len(data)
    while at < size:
        code = data[at]
        end = at + code
        if code == 0 or end > size:
            raise ValueError("cobs: bad block length")
        out.extend(data[at + 1 : end])
        at = end
        if code < 255 and at < size:
            out.append(0)
    if out and data.find(b"\0") >= 0:
        raise ValueError("cobs: zero inside")
    return bytes(out)
