"""The elements of a CAP message: their order, how many there may be, and how each is read.

Ref: OASIS CAP-v1.2-os, section 3.4 (schema). 1.1 has the same elements and words but responseType Avoid and AllClear.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar, final

from ward_protocol.cap import values
from ward_protocol.cap.model import (
    Alert,
    AlertStatus,
    Area,
    Info,
    MessageType,
    Named,
    Resource,
    ResponseType,
    Scope,
)
from ward_protocol.statements.words import Category, Certainty, Severity, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

G_co = TypeVar("G_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a group: where its value goes, how it is read, and how many there may be."""

    field: str
    read: Callable[[str], object] | Group[object]
    required: bool = False
    many: bool = False


@final  # so that a type checker knows that it is not callable, other than what reads a simple value
@dataclass(frozen=True, slots=True)
class Group(Generic[G_co]):
    """An element with elements inside, in the order of the schema; `make` takes the fields as keywords."""

    make: Callable[..., G_co]
    parts: Mapping[str, Part]


_NAMED = Group(
    Named,
    {"valueName": Part("value_name", str, required=True), "value": Part("value", str, required=True)},
)
_AREA = Group(
    Area,
    {
        "areaDesc": Part("area_desc", values.filled, required=True),
        "polygon": Part("polygon", values.polygon, many=True),
        "circle": Part("circle", values.circle, many=True),
        "geocode": Part("geocode", _NAMED, many=True),
        "altitude": Part("altitude", values.number),
        "ceiling": Part("ceiling", values.number),
    },
)
_RESOURCE = Group(
    Resource,
    {
        "resourceDesc": Part("resource_desc", values.filled, required=True),
        "mimeType": Part("mime_type", str),
        "size": Part("size", values.count),
        "uri": Part("uri", str),
        "derefUri": Part("deref_uri", str),
        "digest": Part("digest", str),
    },
)
_INFO = Group(
    Info,
    {
        "language": Part("language", values.language),
        "category": Part("category", partial(values.word, Category), required=True, many=True),
        "event": Part("event", values.filled, required=True),
        "responseType": Part("response_type", partial(values.word, ResponseType), many=True),
        "urgency": Part("urgency", partial(values.word, Urgency), required=True),
        "severity": Part("severity", partial(values.word, Severity), required=True),
        "certainty": Part("certainty", partial(values.word, Certainty), required=True),
        "audience": Part("audience", str),
        "eventCode": Part("event_code", _NAMED, many=True),
        "effective": Part("effective", values.time),
        "onset": Part("onset", values.time),
        "expires": Part("expires", values.time),
        "senderName": Part("sender_name", str),
        "headline": Part("headline", str),
        "description": Part("description", str),
        "instruction": Part("instruction", str),
        "web": Part("web", str),
        "contact": Part("contact", str),
        "parameter": Part("parameter", _NAMED, many=True),
        "resource": Part("resource", _RESOURCE, many=True),
        "area": Part("area", _AREA, many=True),
    },
)
ALERT = Group(
    Alert,
    {
        "identifier": Part("identifier", values.name, required=True),
        "sender": Part("sender", values.name, required=True),
        "sent": Part("sent", values.time, required=True),
        "status": Part("status", partial(values.word, AlertStatus), required=True),
        "msgType": Part("msg_type", partial(values.word, MessageType), required=True),
        "source": Part("source", str),
        "scope": Part("scope", partial(values.word, Scope), required=True),
        "restriction": Part("restriction", str),
        "addresses": Part("addresses", str),
        "code": Part("code", str, many=True),
        "note": Part("note", str),
        "references": Part("references", values.references),
        "incidents": Part("incidents", str),
        "info": Part("info", _INFO, many=True),
    },
)
