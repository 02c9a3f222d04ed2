"""docs/protocol.md lists every reason, statement type, field and event, and none that does not exist.

Its sealed key is opened as it is described there, and by our own code.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import unicodedata

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from tests.unit.project.tables import table_after, text

from ward_hub.keys.sealed import COST, MAX_MEMORY, MIN_PASSPHRASE, Passphrases, unseal
from ward_hub.settings import ALLOWED
from ward_protocol.envelope import SINGLE
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Bulletin, Event, Kind, Receipt, StatementType, Stream, TimeTrust
from ward_protocol.statements.order import KINDS

DOC = "docs/protocol.md"
REASONS = table_after(DOC, "reasons")


def test_reasons_are_those_of_the_code_in_both_directions() -> None:
    assert {(int(row[0]), row[1]) for row in REASONS} == {(int(one), one.word) for one in Reason}


def test_each_reason_stands_once_and_in_order() -> None:
    numbers = [int(row[0]) for row in REASONS]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row[1])
def test_a_reason_says_what_it_means_and_what_to_do(row: tuple[str, ...]) -> None:
    _, _, meaning, remedy = row
    assert meaning
    assert remedy


def test_statement_types_and_their_forms() -> None:
    rows = {int(row[0]): (row[1], row[3]) for row in table_after(DOC, "types")}
    forms = {one: "Sign1" if one in SINGLE else "Sign" for one in StatementType}
    assert rows == {int(one): (one.name.lower(), form) for one, form in forms.items()}


@pytest.mark.parametrize(("mark", "statement"), [("bulletin", Bulletin), ("receipt", Receipt), ("stream", Stream)])
def test_fields_are_those_of_the_statement(mark: str, statement: type[Bulletin | Receipt | Stream]) -> None:
    rows = {int(row[0]): row[1] for row in table_after(DOC, mark)}
    assert rows == {one.metadata["key"]: one.name for one in dataclasses.fields(statement)}


def test_orders_and_the_kinds_they_need() -> None:
    rows = {int(row[0]): (row[1], row[2]) for row in table_after(DOC, "orders")}
    assert rows == {int(one): (one.name.lower(), KINDS.get(one, Kind.ORDER).name.lower()) for one in Action}


def test_settings() -> None:
    assert {row[0] for row in table_after(DOC, "settings")} == ALLOWED


def test_trust_in_the_time() -> None:
    assert {int(row[0]): row[1] for row in table_after(DOC, "trust")} == {
        int(one): one.name.lower() for one in TimeTrust
    }


def test_events() -> None:
    assert {int(row[0]): row[1] for row in table_after(DOC, "events")} == {int(one): one.name.lower() for one in Event}


# The sealed key


def sealed_example() -> tuple[bytes, list[str]]:
    """The example's file, and its two passphrases."""
    chapter = text(DOC).partition("## Sealed keys")[2].partition("\n## ")[0]
    example = re.search(r"<!-- sealed: .*? -->\n```\n(.*?)```\n", chapter, re.DOTALL)
    words = re.search(r"Its passphrases, `(.*?)` and `(.*?)`, stand here", chapter)
    assert example is not None
    assert words is not None
    return example[1].encode(), [words[1], words[2]]


def test_the_sealed_key_opens_as_the_text_describes_it() -> None:
    data, words = sealed_example()
    head, _, rest = data.partition(b"\n\n")
    lines = dict(line.split(": ") for line in head.decode().splitlines()[1:])
    n, r, p = (int(one.partition("=")[2]) for one in lines["scrypt"].split())
    both = sorted(unicodedata.normalize("NFC", one).encode() for one in words)
    password = b"".join(len(one).to_bytes(4, "big") + one for one in both)
    key = hashlib.scrypt(password, salt=bytes.fromhex(lines["salt"]), n=n, r=r, p=p, dklen=32, maxmem=256 << 20)
    box = base64.b64decode(b"".join(rest.splitlines()[:-1]))
    pem = ChaCha20Poly1305(key).decrypt(bytes.fromhex(lines["nonce"]), box, head + b"\n\n")
    assert Signer.from_pem(pem).public.raw.hex() == lines["public"]
    assert unseal(data, Passphrases(*words)).public.raw.hex() == lines["public"]


def test_its_limits_are_those_of_the_code() -> None:
    chapter = text(DOC).partition("## Sealed keys")[2].partition("\n## ")[0]
    assert f"New files have {COST.n}, {COST.r}, {COST.p}: {128 * COST.n * COST.r >> 20} MiB" in chapter
    assert f"at most {MAX_MEMORY >> 20} MiB" in chapter
    assert f"at least {MIN_PASSPHRASE} characters" in chapter
