"""What an X.509 certificate says of itself: names, validity, key identifiers. Only DER that is all there is read."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_SUBJECT_KEY, _AUTHORITY_KEY = "2.5.29.14", "2.5.29.35"
_UTC_TIME, _BMP, _KEY_ID, _VERSION, _EXTENSIONS = 0x17, 0x1E, 0x80, 0xA0, 0xA3


class Certificate(NamedTuple):
    """The names are RFC 4514 texts, the fingerprint and the key identifiers hexadecimal."""

    fingerprint: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    subject_key: str | None
    authority_key: str | None


class Element(NamedTuple):
    """One DER element: its tag and its content."""

    tag: int
    content: bytes

    @property
    def inner(self) -> list[Element]:
        """The elements in its content."""
        return list(_elements(self.content))


def read(data: bytes) -> Certificate:
    """The certificate in DER or PEM. Raises ValueError where it is none."""
    der = data if data[:1] == b"\x30" else ssl.PEM_cert_to_DER_cert(data.decode("ascii").strip())
    try:
        return _certificate(der)
    except (IndexError, KeyError) as error:
        raise ValueError("no X.509 certificate") from error


def _certificate(der: bytes) -> Certificate:
    [whole] = _elements(der)
    fields = whole.inner[0].inner
    if fields[0].tag == _VERSION:
        del fields[0]
    _, _, issuer, validity, subject, *rest = fields
    keys = dict(_extensions(rest))
    authority = [each for each in _one(keys.get(_AUTHORITY_KEY)) if each.tag == _KEY_ID]
    subject_key = keys.get(_SUBJECT_KEY)
    before, after = map(_time, validity.inner)
    return Certificate(
        hashlib.sha256(der).hexdigest(),
        _name(subject),
        _name(issuer),
        before,
        after,
        subject_key.content.hex() if subject_key else None,
        authority[0].content.hex() if authority else None,
    )


def _elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("a certificate that ends too early")
        yield Element(tag, data[at : at + length])
        at += length


def _one(element: Element | None) -> list[Element]:
    return element.inner if element else []


def _extensions(fields: list[Element]) -> Iterator[tuple[str, Element]]:
    """The key identifiers' extensions, by their object identifiers."""
    for field in fields:
        if field.tag == _EXTENSIONS:
            for extension in field.inner[0].inner:
                name, *_, value = extension.inner
                kind = _oid(name.content)
                if kind in {_SUBJECT_KEY, _AUTHORITY_KEY}:
                    yield kind, value.inner[0]


def _oid(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _time(element: Element) -> datetime:
    form = "%y%m%d%H%M%SZ" if element.tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(element.content.decode("ascii"), form).replace(tzinfo=UTC)


def _name(element: Element) -> str:
    """A distinguished name, its last part first."""
    return ",".join("+".join(map(_attribute, part.inner)) for part in reversed(element.inner))


def _attribute(element: Element) -> str:
    kind, value = element.inner
    oid = _oid(kind.content)
    text = value.content.decode("utf-16-be" if value.tag == _BMP else "utf-8")
    for special in '\\,+"<>;':
        text = text.replace(special, f"\\{special}")
    if text[:1] in {"#", " "}:
        text = f"\\{text}"
    return f"{_NAMES.get(oid, oid)}={text}"
