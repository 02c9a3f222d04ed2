"""Whether a source's beats go back: a source put back from a backup, or somebody who plays an old one's part."""

from __future__ import annotations

from ward_hub.trust import Trust
from ward_protocol.statements import Beat


class BeatWatch:
    """Compares each beat with the furthest that was seen; what lies behind is no reason to refuse it."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._last: Beat | None = None
        self._versions = (0, 0)
        self._heads: dict[str, int] = {}
        self._behind: tuple[str, ...] = ()

    def behind(self, trust: Trust) -> str:
        """Say what of the newest beat lies behind an earlier one, in words; empty where nothing does.

        Without a beat, as after a beat key was taken away, it begins anew.
        """
        beat = trust.beat
        if beat is None:
            self._forget()
        elif beat is not self._last:
            self._compare(beat, trust)
        return "; ".join(self._behind)

    def _compare(self, beat: Beat, trust: Trust) -> None:
        # An authority that was taken away may leave the beat; without grants nobody knows which were.
        granted = set(beat.heads) if trust.grants is None else {one.id for one in trust.grants.authorities}
        seen = {issuer: head for issuer, head in self._heads.items() if issuer in granted}
        versions = (beat.root_version, beat.grants_version)
        behind: list[str] = []
        if versions < self._versions:
            behind.append("root {} and grants {}, after root {} and grants {}".format(*versions, *self._versions))
        for issuer, head in sorted(seen.items()):
            if beat.heads.get(issuer, 0) < head:
                behind.append(f"{issuer}/{beat.heads.get(issuer, 0)}, after {issuer}/{head}")
        self._behind = tuple(behind)
        self._last, self._versions = beat, max(versions, self._versions)
        self._heads = {issuer: max(head, seen.get(issuer, 0)) for issuer, head in (seen | dict(beat.heads)).items()}
