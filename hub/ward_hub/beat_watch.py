"""Whether a source's beats go back: a source put back from a backup, or somebody who plays an old one's part."""

from __future__ import annotations

from ward_hub.alarm_words import Code, Detail, detail
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
        self._behind: tuple[Detail, ...] = ()

    def behind(self, trust: Trust) -> tuple[Detail, ...]:
        """Say what of the newest beat lies behind an earlier one; empty where nothing does.

        Without a beat, as after a beat key was taken away, it begins anew.
        """
        beat = trust.beat
        if beat is None:
            self._forget()
        elif beat is not self._last:
            self._compare(beat, trust)
        return self._behind

    def _compare(self, beat: Beat, trust: Trust) -> None:
        # An authority that was taken away may leave the beat; without grants nobody knows which were.
        granted = set(beat.heads) if trust.grants is None else {one.id for one in trust.grants.authorities}
        seen = {issuer: head for issuer, head in self._heads.items() if issuer in granted}
        versions = (beat.root_version, beat.grants_version)
        behind: list[Detail] = []
        if versions < self._versions:
            (root, grants), (last_root, last_grants) = versions, self._versions
            behind.append(
                detail(Code.VERSIONS_BEHIND, root=root, grants=grants, last_root=last_root, last_grants=last_grants)
            )
        for issuer, head in sorted(seen.items()):
            if beat.heads.get(issuer, 0) < head:
                shown = beat.heads.get(issuer, 0)
                behind.append(detail(Code.HEAD_BEHIND, issuer=issuer, head=shown, last_head=head))
        self._behind = tuple(behind)
        self._last, self._versions = beat, max(versions, self._versions)
        self._heads = {issuer: max(head, seen.get(issuer, 0)) for issuer, head in (seen | dict(beat.heads)).items()}
