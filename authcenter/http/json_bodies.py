"""Request bodies that are one JSON object (RFC 8259)."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from authcenter.core.errors import InvalidInput, invalid_request
from authcenter.core.rules import Rule
from authcenter.http.forms import read_body

_JSON = "application/json"


async def read_json(request: web.BaseRequest) -> dict[str, Any]:
    """The object that is the request's body.

    Raises:
        OAuthError: ``invalid_request``: another content type, larger than 64 KiB, not UTF-8, not JSON, not an object,
            a member twice, or a NUL, which no database takes.
    """
    if request.content_type != _JSON:
        hint = f"it is {request.content_type!a:.80}"
        raise invalid_request(Rule.CONTENT_TYPE, f"The content type must be {_JSON}.", hint)
    body = await read_body(request)
    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        # Lone surrogates come as escapes, infinity as a large exponent, and no database takes them.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as problem:
        raise invalid_request(Rule.JSON_MALFORMED, "The body is not JSON.", f"{problem!s:.80}") from problem
    if not isinstance(value, dict) or r"\u0000" in text:
        raise invalid_request(Rule.JSON_MALFORMED, "The body is not a JSON object.", type(value).__name__)
    return value


def text_member(document: Mapping[str, Any], name: str) -> str:
    """A member that must be there, and be a text; also an empty one: what it is for says what it may be.

    Raises:
        InvalidInput: It is not.
    """
    value = document.get(name)
    if not isinstance(value, str):
        raise InvalidInput(f"{name}: not a string")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member stands twice")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
