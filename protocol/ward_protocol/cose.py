"""The wire form of signed envelopes, byte for byte: COSE_Sign1 and COSE_Sign with the headers of our profile.

An envelope has exactly one form: everything but key ids, algorithms, type, payload and signatures is constant and
stands at a known place. So reading it is no parsing: constants are compared, the rest is cut out. What differs is none
of ours; `ward_protocol.fault` then finds the rule that it breaks.

    COSE_Sign1   d2 84 51 [a3 01 alg 04 48 kid 10 19 typ] a0 payload 58 40 signature
    COSE_Sign    d8 62 84 45 [a1 10 19 typ] a0 payload 80+n, n times 83 4d [a2 01 alg 04 48 kid] a0 58 40 signature

Ref: RFC 9052 §4.1, §4.2 (structures), §4.4 (what is signed); RFC 9596 (typ = 16); RFC 8949 §3 (heads).
"""

from __future__ import annotations

from typing import NamedTuple

from ward_protocol.keys import SIGNATURE_SIZE, Algorithm

TAG_SIGN1, TAG_SIGN = b"\xd2", b"\xd8\x62"
MAX_SIGNERS = 16

# First bytes of strings whose size stands behind them: in how many bytes, and the least size that is shortest so.
_LONG = {0x58: (1, 24), 0x59: (2, 0x100), 0x5A: (4, 0x10000)}
# Where the payload's head stands, which is at once the size of what is before it.
_SIGN1_PAYLOAD, _SIGN_PAYLOAD = 21, 10
_ONE_SIZE = 82
# What stands before a key id, whole, by the algorithm whose byte (a small negative integer) is in it.
_SIGN1_BEGIN = {b"\xd2\x84\x51\xa3\x01" + bytes((0x1F - one,)) + b"\x04\x48": one for one in Algorithm}
_ONE_BEGIN = {b"\x83\x4d\xa2\x01" + bytes((0x1F - one,)) + b"\x04\x48": one for one in Algorithm}
_SIGN_BEGIN = b"\xd8\x62\x84\x45\xa1\x10\x19"
_SIGNED1, _SIGNED = b"\x84\x6aSignature1", b"\x85\x69Signature"


class Signature(NamedTuple):
    """One signature of an envelope: the signer's key id and algorithm, the bytes it signed, and the signature."""

    kid: bytes
    algorithm: Algorithm
    signed: bytes
    signature: bytes


class Parts(NamedTuple):
    """What an envelope holds: the number of its type, the statement's bytes, the signatures."""

    typ: int
    payload: bytes
    signatures: tuple[Signature, ...]


def read(data: bytes) -> Parts | None:
    """Return the parts of an envelope; None where `data` is not, byte for byte, what `write` makes of them."""
    if len(data) < _ONE_SIZE:
        return None
    return _read_sign1(data) if data[:1] == TAG_SIGN1 else _read_sign(data)


def write(parts: Parts, *, single: bool) -> bytes:
    """Return the envelope of those parts, as COSE_Sign1 (`single`) or COSE_Sign."""
    payload = _string(parts.payload)
    if single:
        (one,) = parts.signatures
        return (
            b"".join((b"\xd2\x84", _sign1_headers(one.algorithm, one.kid, parts.typ), b"\xa0", payload))
            + b"\x58\x40"
            + one.signature
        )
    pieces = [b"\xd8\x62\x84", _body_headers(parts.typ), b"\xa0", payload, bytes((0x80 | len(parts.signatures),))]
    for one in parts.signatures:
        pieces += (b"\x83", _signer_headers(one.algorithm, one.kid), b"\xa0\x58\x40", one.signature)
    return b"".join(pieces)


def to_be_signed1(algorithm: Algorithm, kid: bytes, typ: int, payload: bytes) -> bytes:
    """Return the Sig_structure of a COSE_Sign1."""
    return b"".join((_SIGNED1, _sign1_headers(algorithm, kid, typ), b"\x40", _string(payload)))


def to_be_signed(algorithm: Algorithm, kid: bytes, typ: int, payload: bytes) -> bytes:
    """Return the Sig_structure of one signature in a COSE_Sign."""
    return b"".join((_SIGNED, _body_headers(typ), _signer_headers(algorithm, kid), b"\x40", _string(payload)))


def _sign1_headers(algorithm: Algorithm, kid: bytes, typ: int) -> bytes:
    return b"".join(
        (b"\x51\xa3\x01", bytes((0x1F - algorithm,)), b"\x04\x48", kid, b"\x10\x19", typ.to_bytes(2, "big"))
    )


def _body_headers(typ: int) -> bytes:
    return b"\x45\xa1\x10\x19" + typ.to_bytes(2, "big")


def _signer_headers(algorithm: Algorithm, kid: bytes) -> bytes:
    return b"\x4d\xa2\x01" + bytes((0x1F - algorithm,)) + b"\x04\x48" + kid


def _string(content: bytes) -> bytes:
    """Return a byte string of less than 4 GiB with its shortest head."""
    size = len(content)
    if size < 24:
        return bytes((0x40 | size,)) + content
    width = next(width for width, least in enumerate((0x100, 0x10000, 0x1_0000_0000)) if size < least)
    return bytes((0x58 + width,)) + size.to_bytes(1 << width, "big") + content


def _string_at(data: bytes, at: int) -> tuple[int, int]:
    """Return where the byte string whose shortest head stands at `at` begins and ends; (0, 0) where none does."""
    head = data[at]
    if 0x40 <= head < 0x58:
        return at + 1, at + 1 + head - 0x40
    if head not in _LONG:
        return 0, 0
    width, least = _LONG[head]
    begin = at + 1 + width
    size = int.from_bytes(data[at + 1 : begin], "big")
    return (begin, begin + size) if size >= least else (0, 0)


def _read_sign1(data: bytes) -> Parts | None:
    begin, end = _string_at(data, _SIGN1_PAYLOAD)
    algorithm = _SIGN1_BEGIN.get(data[:8])
    if algorithm is None or data[16:18] != b"\x10\x19" or data[20] != 0xA0:
        return None
    if data[end : end + 2] != b"\x58\x40" or len(data) != end + 2 + SIGNATURE_SIZE:
        return None
    signed = b"".join((_SIGNED1, data[2:20], b"\x40", data[_SIGN1_PAYLOAD:end]))
    one = Signature(data[8:16], algorithm, signed, data[end + 2 :])
    return Parts(data[18] << 8 | data[19], data[begin:end], (one,))


def _read_sign(data: bytes) -> Parts | None:
    begin, end = _string_at(data, _SIGN_PAYLOAD)
    at, size = end + 1, len(data)
    count, odd = divmod(size - at, _ONE_SIZE)
    if data[:7] != _SIGN_BEGIN or data[9] != 0xA0 or odd or not 1 <= count <= MAX_SIGNERS or data[end] != 0x80 | count:
        return None
    headers, payload = data[3:9], data[_SIGN_PAYLOAD:end]
    signatures: list[Signature] = []
    while at < size:
        algorithm = _ONE_BEGIN.get(data[at : at + 7])
        if algorithm is None or data[at + 15 : at + 18] != b"\xa0\x58\x40":
            return None
        signed = b"".join((_SIGNED, headers, data[at + 1 : at + 15], b"\x40", payload))
        signatures.append(Signature(data[at + 7 : at + 15], algorithm, signed, data[at + 18 : at + _ONE_SIZE]))
        at += _ONE_SIZE
    return Parts(data[7] << 8 | data[8], data[begin:end], tuple(signatures))
