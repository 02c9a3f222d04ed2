"""The source's ends of the channels to its hubs: OSCORE contexts by enrolment, and what stands before the resources.

After a start no request is taken until its hub has answered a challenge (Echo) of this process: so what was recorded
before is refused, and no window has to be written down for each message that comes.
Ref: RFC 8613 §8.2, §8.3 (server), appendix B.1.2 (Echo), §9 (`osc`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.oscore import (
    AES_CCM_16_64_128,
    COSE_KID,
    COSE_KID_CONTEXT,
    CanProtect,
    CanUnprotect,
    ReplayError,
    ReplayErrorWithEcho,
    ReplayWindow,
    SecurityContextUtils,
    verify_start,
)
from aiocoap.pipe import Pipe
from cryptography.hazmat.primitives.hashes import SHA256

from ward_protocol.channel import HUB_ID, SOURCE_ID, Agreement, ChannelKey, agree
from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Enrolment
from ward_sim.source.errors import RefusedStatement
from ward_sim.source.numbers import Numbers, write
from ward_sim.source.site import Site

WINDOW = 64
ECHO_SIZE = 8
# Uri-Host, OSCORE: what may stand outside of a protected request and is critical.
CRITICAL_OUTSIDE = frozenset({3, 9})


class Context(CanProtect, CanUnprotect, SecurityContextUtils):
    """The channel to one hub, since this process began."""

    alg_aead = AES_CCM_16_64_128()
    hashfun = SHA256()

    def __init__(self, hub: str, enrolment: bytes, agreement: Agreement, numbers: Numbers) -> None:
        self.hub = hub
        self.enrolment = enrolment
        self.sender_id, self.recipient_id, self.id_context = SOURCE_ID, HUB_ID, agreement.context
        self.derive_keys(agreement.salt, agreement.secret)
        self._numbers = numbers
        self.echo_recovery = secrets.token_bytes(ECHO_SIZE)
        self.recipient_replay_window = ReplayWindow(WINDOW, self.post_seqnoincrease)  # closed until it was challenged

    def new_sequence_number(self) -> int:
        """Give a number that was never used."""
        return self._numbers.take()

    def post_seqnoincrease(self) -> None:
        """Do nothing: numbers are on the disk already."""


class Channels:
    """All channels that end in one key, which is in the file `key`; beside it is the count of what was sent under it.

    Raises NumbersError for a count that cannot be used, MisuseError for what is no key, OSError.
    """

    def __init__(self, key: Path) -> None:
        self._key = ChannelKey.from_pem(key.read_bytes())
        self._numbers = Numbers(key.with_name(key.name + ".numbers"), self._key.public)
        self._by_hub: dict[str, Context] = {}

    @classmethod
    def made(cls, key: Path) -> Channels:
        """Make a new key in the file `key`, as `wardhub keygen --channel` does."""
        new = ChannelKey.generate()
        key.touch(mode=0o600, exist_ok=False)
        key.write_bytes(new.to_pem())
        write(key.with_name(key.name + ".numbers"), new.public, 0)
        return cls(key)

    @property
    def public(self) -> bytes:
        """The public side of the key, as admissions name it."""
        return self._key.public

    def has(self, hub: str) -> bool:
        """Say whether there is a channel to a hub."""
        return hub in self._by_hub

    def enrol(self, request: bytes) -> Enrolment:
        """Make the channel that a hub's request asks for, in place of its last; raises RefusedStatement."""
        try:
            envelope = Envelope.open(request)
            asked = envelope.statement
            if not isinstance(asked, Enrolment):
                raise RefusedStatement(Code.BAD_REQUEST, f"a {envelope.type.name.lower()} is no enrolment")
            own = PublicKey(asked.public)
            if not envelope.verified_by({own.kid: own}):
                raise RefusedStatement(Code.FORBIDDEN, f"hub {asked.hub}: not signed with the key that it names")
            agreement = agree(self._key, asked.hub, asked.channel, self._key.public, envelope.digest)
        except ProtocolError as error:
            raise RefusedStatement(Code.BAD_REQUEST, str(error)) from error
        known = self._by_hub.get(asked.hub)
        if known is None or known.enrolment != envelope.digest:
            self._by_hub[asked.hub] = Context(asked.hub, envelope.digest, agreement, self._numbers)
        return asked

    def find(self, said: Mapping[int, bytes]) -> Context | None:
        """Return the channel that a protected request names."""
        if said.get(COSE_KID) != HUB_ID:
            return None
        context = said.get(COSE_KID_CONTEXT)
        return next((one for one in self._by_hub.values() if one.id_context == context), None)


class ProtectedSite:
    """Opens what comes through a channel, and seals what goes back; what comes open passes by."""

    def __init__(self, site: Site, channels: Channels) -> None:
        self._site = site
        self._channels = channels

    async def render_to_pipe(self, pipe: Pipe) -> None:
        """Answer one request."""
        if pipe.request.opt.oscore is None:
            await self._site.render_to_pipe(pipe)
        else:
            pipe.add_response(self._answered(pipe.request), is_last=True)

    def _answered(self, request: Message) -> Message:
        if any(one.number % 2 and one.number not in CRITICAL_OUTSIDE for one in request.opt.option_list()):
            return _unsealed(Code.BAD_OPTION, "a critical option stands outside")
        try:
            context = self._channels.find(verify_start(request))
            if context is None:
                return _unsealed(Code.UNAUTHORIZED, "Security context not found")
            asked, bound = context.unprotect(request)
        except ReplayErrorWithEcho as challenge:
            return challenge.to_message()
        except ReplayError:
            return _unsealed(Code.UNAUTHORIZED, "Replay detected")
        except Exception:  # noqa: BLE001 - whatever the library trips over, the datagram is to blame
            return _unsealed(Code.BAD_REQUEST, "Decryption failed")
        asked.remote = request.remote
        return context.protect(self._site.answered(asked, context.hub), bound)[0]


def _unsealed(code: Code, words: str) -> Message:
    """Return an error that nobody can believe who gets it: nothing of what it is about could be read."""
    message = Message(code=code, payload=words.encode())
    message.opt.max_age = 0
    return message
