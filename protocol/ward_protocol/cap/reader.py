"""CAP XML to values, strictly: what is taken is valid by the schema of CAP 1.2, and keeps the rules its prose adds.

What an attacker can put into XML is refused before it acts: size is limited before parsing, a DTD or entity anywhere
is an error (defusedxml), unknown elements and attributes are errors. Signatures (XML-DSig) may stand at the end and are
not looked at: a CAP file is only imported by those who then sign a bulletin of their own.

Ref: OASIS CAP-v1.2-os, section 3.2; CAP-V1.1, section 3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ward_protocol.cap.grammar import ALERT, Group, Part
from ward_protocol.cap.model import SINCE_1_2, Alert, MessageType, Resource, Scope
from ward_protocol.cap.values import embedded_sha1
from ward_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

G = TypeVar("G")

MAX_SIZE = 256 * 1024  # bytes; ours: CAP sets no limit
_VERSIONS = {"urn:oasis:names:tc:emergency:cap:1.1": "1.1", "urn:oasis:names:tc:emergency:cap:1.2": "1.2"}
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = frozenset([f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"])  # may stand anywhere; never followed
_BLANK = " \t\r\n"  # XML's white space; str.strip() takes more, which the schema does not
_SHOWN = 60


class CapError(ProtocolError):
    """The bytes are not an acceptable CAP alert; the message names the element and what is wrong with it."""

    def __init__(self, element: str, problem: str) -> None:
        super().__init__(f"CAP {element}: {problem}")
        self.element = element
        self.problem = problem


def parse(data: bytes, *, max_size: int = MAX_SIZE) -> Alert:
    """The alert in `data` (XML of CAP 1.2 or 1.1, any encoding expat knows). Raises CapError."""
    if len(data) > max_size:
        raise CapError("alert", f"{len(data)} bytes, over {max_size}")
    root = _root(data)
    namespace, _, tag = root.tag.rpartition("}")
    version = _VERSIONS.get(namespace.removeprefix("{"))
    if version is None or tag != "alert":
        raise CapError(root.tag[:_SHOWN], "not an alert of CAP 1.1 or 1.2")
    alert = _read(root, ALERT, namespace + "}", "alert", version=version)
    _judge(alert)
    return alert


def _root(data: bytes) -> Element:
    try:
        return fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise CapError("alert", f"a DTD or an entity is not accepted ({type(error).__name__})") from error
    except (ParseError, ValueError, LookupError) as error:  # the latter two: encodings expat or Python lacks
        raise CapError("alert", f"not well-formed XML: {error}") from error


def _read(element: Element, group: Group[G], namespace: str, path: str, **given: str) -> G:
    """The value of a group; `path` names it in errors, `given` are fields that do not stand in the XML."""
    _need_no_attributes(element, path)
    found: dict[str, list[object]] = {}
    order = list(group.parts)
    reached = 0
    for name, child in _children(element, namespace, path):
        where = f"{path}/{name}"
        part = group.parts.get(name)
        if part is None:
            raise CapError(where, "no such element here")
        if order.index(name) < reached:
            raise CapError(where, f"stands after {order[reached]}; the schema wants it before")
        reached = order.index(name)
        values = found.setdefault(name, [])
        if values and not part.many:
            raise CapError(where, "stands there twice")
        values.append(_value(child, part, namespace, where))
    return group.make(**given, **_fields(found, group.parts, path))


def _children(element: Element, namespace: str, path: str) -> Iterator[tuple[str, Element]]:
    signed = False
    _need_blank(element.text, path)
    for child in element:
        _need_blank(child.tail, path)
        if path == "alert" and child.tag.startswith(_SIGNATURE):
            signed = True
            continue
        if not child.tag.startswith(namespace):
            raise CapError(f"{path}/{child.tag[:_SHOWN]}", "no such element here")
        name = child.tag.removeprefix(namespace)
        if signed:
            raise CapError(f"{path}/{name}", "stands after the signature, which the schema wants last")
        yield name, child


def _need_blank(text: str | None, path: str) -> None:
    if (text or "").strip(_BLANK):
        raise CapError(path, "has text outside its elements")


def _need_no_attributes(element: Element, path: str) -> None:
    odd = sorted(set(element.keys()) - _HINTS)
    if odd:
        raise CapError(path, f"has the attribute {odd[0][:_SHOWN]}; CAP has none")


def _value(element: Element, part: Part, namespace: str, path: str) -> object:
    if not callable(part.read):
        return _read(element, part.read, namespace, path)
    _need_no_attributes(element, path)
    if len(element):
        raise CapError(path, "has elements inside; only text is allowed")
    raw = element.text or ""
    text = raw if part.exact else raw.strip(_BLANK)
    if not (text or part.required or part.many or part.filled):
        return text
    try:
        return part.read(text)
    except ValueError as error:
        raise CapError(path, str(error)) from error


def _fields(found: Mapping[str, list[object]], parts: Mapping[str, Part], path: str) -> dict[str, object]:
    """Keywords for the dataclass; an optional element that is absent or empty is left to the field's default."""
    fields: dict[str, object] = {}
    for name, part in parts.items():
        values = found.get(name, [])
        if part.required and not values:
            raise CapError(f"{path}/{name}", "is missing")
        if part.many:
            fields[part.field] = tuple(values)
        elif values and (part.required or values[0] != ""):
            fields[part.field] = values[0]
    return fields


def _judge(alert: Alert) -> None:
    """Rules that the schema cannot say, and what differs between the versions.

    Ref: CAP 1.2 §3.2.1, msgType, restriction, addresses; §3.2.3, mimeType; CAP 1.1 §3.2.2, responseType.
    """
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        raise CapError("alert/restriction", "is missing; scope Restricted needs it")
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        raise CapError("alert/addresses", "is missing; scope Private needs it")
    if alert.msg_type is not MessageType.ALERT and not alert.references:
        raise CapError("alert/references", f"is missing; msgType {alert.msg_type} needs it")
    for info in alert.info:
        if alert.version == "1.1" and SINCE_1_2.intersection(info.response_type):
            raise CapError("alert/info/responseType", "is a word of CAP 1.2 in an alert of 1.1")
        for resource in info.resource:
            _judge_resource(resource, alert.version)


def _judge_resource(resource: Resource, version: str) -> None:
    if version == "1.2" and not resource.mime_type:
        raise CapError("alert/info/resource/mimeType", "is missing; CAP 1.2 needs it")
    if resource.digest and resource.deref_uri and resource.digest.lower() != embedded_sha1(resource.deref_uri):
        raise CapError("alert/info/resource/digest", "is not that of what derefUri holds")
