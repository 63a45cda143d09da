"""JWS compact serialization (RFC 7515 §3.1): taken apart strictly, put together canonically."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core import base64url
from authcenter.core.wire_json import encode
from authcenter.jose.strict_json import RepeatedMember, parse_object

MAX_TOKEN_CHARACTERS = 16 * 1024
"""Of a token; longer strings are not looked at."""


class MalformedJws(ValueError):
    """Not a JWS in canonical compact form.

    Attributes:
        repeated: The member that stands twice, where that is the cause.
    """

    repeated = ""


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A JWS taken apart. Nothing has been verified."""

    header: dict[str, Any]
    header_segment: str
    payload_segment: str
    signature: bytes

    @property
    def signing_input(self) -> bytes:
        return f"{self.header_segment}.{self.payload_segment}".encode("ascii")

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object.

        Raises:
            MalformedJws: It is none, or names a member twice.
        """
        return read_object(self.payload_segment)


def split(token: str, most_characters: int = MAX_TOKEN_CHARACTERS) -> CompactJws:
    """Take a compact JWS apart.

    Args:
        most_characters: Longer ones are not looked at.

    Raises:
        MalformedJws: Not three canonical base64url parts, or the header is not a JSON object, or has a ``crit`` (this
            server understands no extension, so RFC 7515 §4.1.11 has it refuse).
    """
    if len(token) > most_characters:
        raise MalformedJws("too long")
    if not token.isascii():
        raise MalformedJws("not ASCII")
    parts = token.split(".")
    if len(parts) != 3:
        raise MalformedJws("not three parts")
    header_segment, payload_segment, signature_segment = parts
    header = read_object(header_segment)
    if "crit" in header:
        raise MalformedJws("crit is not understood")
    try:
        signature = base64url.decode(signature_segment)
    except ValueError as problem:
        raise MalformedJws(f"signature: {problem}") from problem
    return CompactJws(header, header_segment, payload_segment, signature)


def read_object(segment: str) -> dict[str, Any]:
    """The JSON object that a segment encodes.

    Raises:
        MalformedJws: Not canonical base64url, not JSON, not an object, or a member stands twice.
    """
    try:
        return parse_object(base64url.decode(segment))
    except ValueError as problem:
        malformed = MalformedJws(f"not a JSON object: {problem!s:.80}")
        malformed.repeated = problem.name if isinstance(problem, RepeatedMember) else ""
        raise malformed from problem


def write_object(value: Mapping[str, Any]) -> str:
    return base64url.encode(encode(value))
