"""Standard claims as they are stored: each with the type that OpenID Connect Core §5.1 gives it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from authcenter.core.errors import InvalidInput

_TEXTS = ("name", "family_name", "given_name", "middle_name", "nickname", "gender")
_URLS = ("profile", "picture", "website")
_ADDRESS = ("formatted", "street_address", "locality", "region", "postal_code", "country")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}")
_PHONE = re.compile(r"\+?[0-9 ().;=ext-]{3,60}")
_LONGEST = 1_000

STORED_CLAIMS = (
    *_TEXTS,
    *_URLS,
    *("birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address"),
)
"""The others come from the account itself."""


def check_claims(claims: Mapping[str, Any]) -> None:
    """Whether each is a standard claim that may be stored, with a value of its type.

    Raises:
        InvalidInput: Naming the claim.
    """
    for name, value in claims.items():
        if name not in STORED_CLAIMS:
            raise InvalidInput(f"claim: {name!a:.80} is none of {', '.join(STORED_CLAIMS)}")
        if (problem := _problem(name, value)) is not None:
            raise InvalidInput(f"claim: {name} must be {problem}")
    if "phone_number_verified" in claims and "phone_number" not in claims:
        raise InvalidInput("claim: phone_number_verified says something of a phone_number that is not there")


def _problem(name: str, value: object) -> str | None:  # noqa: PLR0911 - a table, in words
    if name == "phone_number_verified":
        return None if isinstance(value, bool) else "true or false"
    if name == "address":
        return None if _is_address(value) else f"an object of texts: {', '.join(_ADDRESS)}"
    if not _is_text(value):
        return f"a text of 1 to {_LONGEST} characters"
    text = str(value)
    if name in _URLS:
        return None if _is_url(text) else "an https or http URL"
    if name == "birthdate":
        return None if _is_birthdate(text) else "YYYY-MM-DD, 0000-MM-DD or YYYY"
    if name == "zoneinfo":
        return None if _ZONE.fullmatch(text) else "a zone such as Europe/Berlin"
    if name == "locale":
        return None if _LOCALE.fullmatch(text) else "a language tag such as de-AT"
    if name == "phone_number":
        return None if _PHONE.fullmatch(text) else "a number such as +1 (425) 555-1212"
    return None


def _is_text(value: object, lines: bool = False) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return False
    return value.replace("\n", "").replace("\r", "").isprintable() if lines else value.isprintable()


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isascii() and " " not in text


def _is_birthdate(text: str) -> bool:
    if re.fullmatch(r"[0-9]{4}", text):
        return True
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        # Year 0000 leaves the year out; a leap year lets the 29th of February be a birthday.
        date.fromisoformat(text.replace("0000", "2000", 1) if text.startswith("0000") else text)
    except ValueError:
        return False
    return True


def _is_address(value: object) -> bool:
    """§5.1.1: of its parts only ``formatted`` and ``street_address`` have lines."""
    return (
        isinstance(value, dict)
        and bool(value)
        and value.keys() <= set(_ADDRESS)
        and all(_is_text(part, lines=name in _ADDRESS[:2]) for name, part in value.items())
    )
