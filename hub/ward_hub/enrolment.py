"""How a hub becomes known: a request signed with its own key, and an answer that is checked before it is installed."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ward_hub import channel
from ward_hub.config import Area, Identifier, load
from ward_hub.durable import write_whole
from ward_hub.errors import ConfigError, StateError, UsageError
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.standing import standings
from ward_hub.trust import Trust
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signing
from ward_protocol.statements import Admission, Enrolment

SOURCE = re.compile(r"coap://[A-Za-z0-9.:\[\]_-]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was checked: what it says, and the version of the root that it brings."""

    data: bytes
    admission: Admission
    version: int

    @property
    def hub(self) -> str:
        """The hub's id."""
        return self.admission.hub

    @property
    def source(self) -> str:
        """The source's URI."""
        return self.admission.source


def need_names(hub: str, area: str) -> None:
    """Raise UsageError for an id or an area that no hub's configuration may have: no answer could be used."""
    for option, text, kind in (("--hub", hub, Identifier), ("--area", area, Area)):
        try:
            msgspec.convert(text, kind)
        except msgspec.ValidationError as error:
            raise UsageError(f"{option} {text}: no hub's configuration takes that: {error}") from error


def request(key: Signing, hub: str, area: str, channel_key: bytes, now: int) -> bytes:
    """Return a hub's request, signed with its own key; `channel_key` is the public side of its end of the channel."""
    return sign(Enrolment(hub, area, key.public.raw, channel_key, now), [key])


def requested(data: bytes) -> Enrolment:
    """Return a request whose sender has the key it names; raises StatementError, CeremonyError."""
    envelope = Envelope.open(data)
    if not isinstance(envelope.statement, Enrolment):
        raise CeremonyError(f"an enrolment is needed, not a {envelope.type.name.lower()}")
    if not all(one.met for one in standings(envelope)):
        raise CeremonyError("the request is not signed with the key that it names")
    return envelope.statement


def answer(asked: bytes, root: bytes, source: str, channel_key: bytes, now: int) -> Admission:
    """Return the answer to a request, to be signed by the grant role of `root`; raises CeremonyError.

    `channel_key` is the public side of the source's end of the channel.
    """
    trust = Trust.from_first_root(root)
    if trust.root.expires <= now:
        raise CeremonyError(f"root {trust.root.version} has ended: give the root in force")
    if not SOURCE.fullmatch(source):
        raise CeremonyError(f"source {source!r}: coap://HOST or coap://HOST:PORT is needed")
    hub = requested(asked).hub
    return Admission(hub, Envelope.open(asked).digest, root, source, channel_key, now)


def checked(data: bytes, asked: bytes, root_id: bytes) -> Answer:
    """Return what an answer says, once it is the answer to this request and brings the root of that id.

    The id comes from the office by another way, by telephone: whoever could change the answer on its way could else
    put a root of their own into it. Raises StatementError, CeremonyError.
    """
    envelope = Envelope.open(data)
    admission = envelope.statement
    if not isinstance(admission, Admission):
        raise CeremonyError(f"an admission is needed, not a {envelope.type.name.lower()}")
    root = Trust.from_first_root(admission.root).root
    if not hmac.compare_digest(Envelope.open(admission.root).digest, root_id):
        raise CeremonyError(
            "the answer brings another root than the one of --root-id: do not install it, ask the office"
        )
    if Envelope.open(asked).digest != admission.request:
        raise CeremonyError("it answers another request: bring the answer to the request that stands here")
    own = requested(asked)
    if admission.hub != own.hub:
        raise CeremonyError(f"it calls this hub {admission.hub!r}, and the request says {own.hub!r}: ask the office")
    short = [one for one in standings(envelope) if not one.met]
    if short:
        raise CeremonyError(f"the answer lacks signatures, {short[0]}")
    return Answer(data, admission, root.version)


def install(given: Answer, config: Path, own: Enrolment, state: Path, key: str | None) -> Path:
    """Put the root where the configuration has it, the channel into force, and make a configuration if there is none.

    `key` is the URI of the hub's key where it is on a token. Returns the root's path. Raises ConfigError for a
    configuration that says otherwise than the answer, StateError for another root in its place, or where the key of
    the channel is not here, NotWritten.
    """
    channel.hub_end(state, given.admission)  # before anything is changed
    if config.exists():
        found = load(config)
        says = {"hub.id": found.hub.id, "hub.area": found.hub.area, "source.uri": found.source.uri}
        wanted = {"hub.id": given.hub, "hub.area": own.area, "source.uri": given.source}
        for name, value in wanted.items():
            if says[name] != value:
                raise ConfigError(f"{config}: {name} is {says[name]!r}, the answer is for {value!r}")
        if found.hub.key != key:
            raise ConfigError(f"{config}: hub.key names another key than this enrolment: give the same as --key")
        if found.source.protected is False:
            raise ConfigError(f"{config}: source.protected is false, and the source takes protected receipts only")
        root = Path(found.trust.root)
    else:
        root = config.parent / "root.cose"
    if root.exists() and root.read_bytes() != given.admission.root:
        raise StateError(f"{root}: there is another root; move it away if the hub is to begin anew")
    write_whole(root, given.admission.root)
    channel.install(state, given.data, given.admission)
    if not config.exists():
        write_whole(config, _config(given, own, state, root, key).encode())
    return root


def _config(given: Answer, own: Enrolment, state: Path, root: Path, key: str | None) -> str:
    # JSON's strings are TOML's as well.
    def quoted(value: object) -> str:
        return json.dumps(str(value), ensure_ascii=False)

    on_token = f"key = {quoted(key)}\n" if key else ""
    return (
        f"[hub]\nid = {quoted(given.hub)}\narea = {quoted(own.area)}\nstate = {quoted(state)}\n{on_token}\n"
        f"[trust]\nroot = {quoted(root)}\n\n[source]\nuri = {quoted(given.source)}\nprotected = true\n"
    )
