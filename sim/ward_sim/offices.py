"""The offices above the simulated ward: their keys, made at each start, and what they sign."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ward_protocol.cap import cap_words
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import (
    Admission,
    Audience,
    Audio,
    Authority,
    Beat,
    Bulletin,
    Cancel,
    Enrolment,
    Grants,
    Kind,
    Priority,
    Role,
    RoleKeys,
    Root,
)
from ward_sim.bulletins import StoryBulletin

DAY_S = 86_400
PROVINCE, WARD = "province", "ward"


@dataclass(frozen=True, slots=True)
class Recording:
    """An encoded recording as the source serves it; duration in ms."""

    data: bytes = field(repr=False)
    media_type: str
    duration_ms: int

    @property
    def sha256(self) -> bytes:
        """Its digest."""
        return hashlib.sha256(self.data).digest()


class Offices:
    """Root, grant and beat keys, a quorum of three, the province and the ward; times are Unix seconds."""

    def __init__(self, area: str, now: int) -> None:
        self._area = area
        self._now = now
        self._roots = [Signer.generate() for _ in range(3)]
        self._grant, self._beat = Signer.generate(), Signer.generate()
        self._quorum = [Signer.generate() for _ in range(3)]
        self._authors = {PROVINCE: Signer.generate(), WARD: Signer.generate()}
        self._sequences = dict.fromkeys(self._authors, 0)

    def root(self) -> bytes:
        """Return root 1: two of three root keys, two of three of the quorum for emergencies."""
        roles = {
            Role.ROOT: RoleKeys(2, tuple(one.kid for one in self._roots)),
            Role.GRANT: RoleKeys(1, (self._grant.kid,)),
            Role.BEAT: RoleKeys(1, (self._beat.kid,)),
            Role.QUORUM: RoleKeys(2, tuple(one.kid for one in self._quorum)),
        }
        holders = [*self._roots, self._grant, self._beat, *self._quorum]
        keys = {one.kid: one.public.raw for one in holders}
        return sign(Root(1, self._now, self._now + 365 * DAY_S, keys, roles), self._roots[:2])

    def grants(self) -> bytes:
        """Return grants 1: the province for everything in the country's north, the ward for itself."""
        country = self._area.split("/")[0]
        both = (
            self._authority(PROVINCE, country, 1, Priority.EMERGENCY),
            self._authority(WARD, self._area, 3, Priority.PRIORITY),
        )
        return sign(Grants(1, self._now, self._now + 90 * DAY_S, 1, both), [self._grant])

    def author(self, issuer: str) -> Signer:
        """Return the key of an authority's author."""
        return self._authors[issuer]

    def save(self, folder: Path) -> None:
        """Write root, grants and the authors' keys to `folder`, which is made; the keys end with this simulation."""
        folder.mkdir(mode=0o700, parents=True)
        (folder / "root.cose").write_bytes(self.root())
        (folder / "grants.cose").write_bytes(self.grants())
        for name, signer in self._authors.items():
            key = folder / f"{name}.key"
            key.touch(mode=0o600)
            key.write_bytes(signer.to_pem())

    def admit(self, request: bytes, root: bytes, source: str, channel: bytes) -> bytes:
        """Return the answer to a hub's request: the root, the source's URI and channel key; signed by the grant key."""
        asked = Envelope.open(request)
        if not isinstance(asked.statement, Enrolment):
            raise TypeError("an enrolment is needed")
        return sign(Admission(asked.statement.hub, asked.digest, root, source, channel, self._now), [self._grant])

    def sign_beat(self, beat: Beat) -> bytes:
        """Sign a beat with the source's on-line key."""
        return sign(beat, [self._beat])

    def issue(
        self, issuer: str, content: StoryBulletin, audience: Audience, now: int, recording: Recording | None = None
    ) -> bytes:
        """Return the signed bulletin; an emergency has the signatures of two of the quorum beside its author's."""
        self._sequences[issuer] += 1
        bulletin = self._bulletin(issuer, content, audience, now, recording)
        quorum = self._quorum[:2] if content.priority is Priority.EMERGENCY else []
        return sign(bulletin, [self._authors[issuer], *quorum])

    def cancel(self, issuer: str, target: Envelope, audience: Audience, now: int, *, announce: bool = False) -> bytes:
        """Return the signed cancel of an earlier bulletin of the same issuer; the quorum signs what announces."""
        self._sequences[issuer] += 1
        number, expires = self._sequences[issuer], now + DAY_S
        cancel = Cancel(issuer, number, now, expires, audience, target.digest, announce=announce)
        return sign(cancel, [self._authors[issuer], *(self._quorum[:2] if announce else [])])

    def forge(self, issuer: str, content: StoryBulletin, audience: Audience, now: int) -> bytes:
        """Return a bulletin in the issuer's name, its next sequence, signed by keys that nobody granted anything."""
        bulletin = self._bulletin(issuer, content, audience, now, None, sequence=self._sequences[issuer] + 1)
        return sign(bulletin, [Signer.generate() for _ in range(3)])

    def _authority(self, name: str, area: str, level: int, highest: Priority) -> Authority:
        signer = self._authors[name]
        return Authority(
            id=name,
            keys={signer.kid: signer.public.raw},
            threshold=1,
            level=level,
            areas=(area,),
            highest_priority=highest,
            kinds=(Kind.BULLETIN, Kind.CANCEL, Kind.ORDER, Kind.STREAM),
            not_after=self._now + 90 * DAY_S,
        )

    def _bulletin(
        self,
        issuer: str,
        content: StoryBulletin,
        audience: Audience,
        now: int,
        recording: Recording | None,
        *,
        sequence: int | None = None,
    ) -> Bulletin:
        audio: tuple[Audio, ...] = ()
        if recording is not None:
            size = len(recording.data)
            audio = (Audio(recording.sha256, size, recording.media_type, recording.duration_ms),)
        return Bulletin(
            issuer=issuer,
            sequence=sequence or self._sequences[issuer],
            issued=now,
            not_before=now,
            expires=now + DAY_S,
            audience=audience,
            priority=content.priority,
            status=content.status,
            texts=content.texts,
            audio=audio,
            cap=None if content.cap is None else cap_words(content.cap),
        )
