"""Statements for tests: one of each kind with every field in use, and the keys that sign them."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import sign
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.statements import (
    Action,
    Admission,
    Audience,
    Audio,
    Authority,
    Beat,
    BoardEvidence,
    BreakGlass,
    Bulletin,
    Cancel,
    Cap,
    Category,
    Certainty,
    Enrolment,
    Event,
    Evidence,
    Grants,
    Kind,
    MsgType,
    Order,
    Priority,
    Quota,
    Receipt,
    Role,
    RoleKeys,
    Root,
    Severity,
    Statement,
    Status,
    Stream,
    StreamCodec,
    Suite,
    Text,
    TimeTrust,
    Urgency,
    Verdict,
    ZoneEvidence,
)

NOW = 1_800_000_000
AREA = "vn/01/00268"


def signer(number: int) -> Signer:
    """Return the test key of that number; the same in every run."""
    return Signer.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def p256_signer(number: int) -> Signer:
    """Return the P-256 test key whose private number that is."""
    return Signer.of(derive_private_key(number, SECP256R1()))


def channel_key(number: int) -> ChannelKey:
    """Return the test key of a channel's end of that number; the same in every run."""
    return ChannelKey.of(X25519PrivateKey.from_private_bytes(bytes([number]) * 32))


SIGNER, ROOT_KEY, GRANT_KEY, BEAT_KEY, STRANGER = (signer(number) for number in range(1, 6))

ROOT = Root(
    version=1,
    issued=NOW,
    expires=NOW + 10**7,
    keys={one.kid: one.public.raw for one in (ROOT_KEY, GRANT_KEY, BEAT_KEY)},
    roles={
        Role.ROOT: RoleKeys(1, (ROOT_KEY.kid,)),
        Role.GRANT: RoleKeys(1, (GRANT_KEY.kid,)),
        Role.BEAT: RoleKeys(1, (BEAT_KEY.kid,)),
    },
)
AUTHORITY = Authority(
    id="ward",
    keys={SIGNER.kid: SIGNER.public.raw},
    threshold=1,
    level=3,
    areas=(AREA,),
    highest_priority=Priority.EMERGENCY,
    kinds=(Kind.BULLETIN, Kind.CANCEL, Kind.ORDER),
    not_after=NOW + 10**6,
)
SEALED_KEY = signer(6)
EVERYTHING = replace(
    AUTHORITY,
    id="station",
    keys={one.kid: one.public.raw for one in (SIGNER, signer(7))},
    zones=("zone-1", "zone-2"),
    boards=("board-1",),
    emergency_threshold=2,
    quota=Quota(bulletins=50, emergencies=5, repeats=3),
    break_glass=BreakGlass({SEALED_KEY.kid: SEALED_KEY.public.raw}, 3),
)
DELEGATE = replace(AUTHORITY, id="hamlet", areas=(f"{AREA}/3",), level=4, parent="ward")
GRANTS = Grants(
    version=1, issued=NOW, expires=NOW + 10**6, root_version=1, authorities=(AUTHORITY, DELEGATE, EVERYTHING)
)
BEAT = Beat(time=NOW, root_version=1, grants_version=1, heads={"ward": 3}, nonce=b"12345678")
BULLETIN = Bulletin(
    issuer="ward",
    sequence=1,
    issued=NOW,
    not_before=NOW,
    expires=NOW + 3600,
    audience=Audience((AREA,), ("hub-1",), ("zone-1",), ("board-1",)),
    priority=Priority.EMERGENCY,
    status=Status.ACTUAL,
    texts=(Text("vi", "Cảnh báo lũ quét", "Người dân ven suối di chuyển lên nơi cao ngay."),),
    audio=(Audio(b"\x01" * 32, 20_000, "audio/ogg", 9_000, "en"),),
    cap=Cap(
        identifier="VN-1",
        sender="office@example.vn",
        msg_type=MsgType.ALERT,
        category=Category.MET,
        event="Lũ quét",
        urgency=Urgency.IMMEDIATE,
        severity=Severity.EXTREME,
        certainty=Certainty.OBSERVED,
        references="a,b,c",
    ),
    repeats=2,
    approver="Trưởng trạm",
    supersedes=(b"\x02" * 32,),
)
CANCEL = Cancel("ward", 2, NOW, NOW + 3600, Audience((AREA,)), b"\x03" * 32, "phát nhầm")
ORDER = Order(
    issuer="ward",
    sequence=3,
    issued=NOW,
    expires=NOW + 3600,
    audience=Audience((AREA,)),
    priority=Priority.PRIORITY,
    action=Action.STOP,
    targets=(b"\x08" * 32,),
    why="phát nhầm",
)
STREAM = Stream(
    port=5004,
    suite=Suite.AES_CM_128_HMAC_SHA1_80,
    keys={"hub-1": bytes(range(78)), "hub-2": bytes(78)},
    codec=StreamCodec.OPUS,
    payload_type=96,
    clock_rate=48_000,
    channels=1,
    max_s=600,
    address="239.192.7.7",
    ssrc=7,
    silence_s=5,
)
ORDERS = (
    ORDER,
    replace(ORDER, action=Action.SILENCE, targets=(), until=NOW + 600),
    replace(ORDER, action=Action.BLANK, targets=()),
    replace(ORDER, action=Action.RESUME, targets=()),
    replace(ORDER, action=Action.PURGE),
    replace(ORDER, action=Action.STREAM_START, targets=(), stream=STREAM, status=Status.EXERCISE),
    replace(ORDER, action=Action.STREAM_STOP),
    replace(ORDER, action=Action.DECISION, verdict=Verdict.FIRST),
    replace(ORDER, action=Action.CONFIGURATION, targets=(), settings={"hub.log_level": "debug"}),
    replace(ORDER, action=Action.CLEAR, targets=()),
)
RECALL = replace(CANCEL, announce=True)
RECEIPT = Receipt(
    hub="hub-1",
    sequence=2,
    statement=b"\x04" * 32,
    event=Event.PARTLY,
    time=NOW,
    time_trust=TimeTrust.GOOD,
    previous=b"\x05" * 32,
    reason=Reason.NOTHING_HEARD,
    detail="zone-1",
    evidence=Evidence(
        zones=(ZoneEvidence("zone-1", NOW * 1000, NOW * 1000 + 9000, True, 8500),),
        boards=(BoardEvidence("board-1", NOW * 1000, NOW * 1000 + 9000, 9, 9, b"\x06" * 16),),
        played_ms=9000,
        requested_ms=9000,
        attempts=1,
    ),
    audit_entry=7,
    audit_head=b"\x07" * 32,
    break_glass=1,
    status=Status.EXERCISE,
)
HUB_CHANNEL, SOURCE_CHANNEL = channel_key(1), channel_key(2)
ENROLMENT = Enrolment("hub-1", AREA, SIGNER.public.raw, HUB_CHANNEL.public, NOW)
ADMISSION = Admission(
    "hub-1", b"\x07" * 32, sign(ROOT, [ROOT_KEY]), "coap://source.example.vn", SOURCE_CHANNEL.public, NOW
)
SAMPLES: tuple[Statement, ...] = (ROOT, GRANTS, BEAT, BULLETIN, RECALL, *ORDERS, RECEIPT, ENROLMENT, ADMISSION)
MINIMAL = replace(
    BULLETIN,
    audience=Audience((AREA,)),
    audio=(),
    cap=None,
    repeats=1,
    approver="",
    supersedes=(),
    priority=Priority.NORMAL,
)
