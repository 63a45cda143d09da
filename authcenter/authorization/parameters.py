"""The parameters of authorization requests, one by one: what each may look like, and what it means."""

import json
import re
from collections.abc import Mapping
from typing import Any

from authcenter.core.authorization import ResponseMode
from authcenter.core.checks import failed
from authcenter.core.errors import ErrorCode, OAuthError, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule

NAMES = frozenset(
    {
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "id_token_hint",
        "login_hint",
        "acr_values",
        "claims",
        "display",
        "ui_locales",
        "dpop_jkt",
    }
)
"""Every parameter that says something here, beside ``client_id``, which says who asks, and ``resource``."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
DISPLAYS = frozenset({"page", "popup", "touch"})
_LONGEST_OPAQUE = 2_048
_LONGEST_CLAIMS = 8_192
_MOST_BYTES = 5_500
"""Of all parameters: sealed, they must fit into a URL, of which servers read about 8,000 bytes."""
_NOT_CARRIED = frozenset({"id_token_hint"})
_MOST_VALUES = 20
_DEEPEST = 10
_LARGEST_NUMBER = 2**53
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_DIGITS = re.compile(r"\d{1,9}")


def response_type(form: Form) -> str:
    """``code`` is all there is (RFC 9700 §2.1.2 has done with the implicit grant)."""
    asked = form.get("response_type")
    if asked is None:
        failed("parameter", missing="response_type")
        raise invalid_request(Rule.PARAMETER_MISSING, "The parameter response_type is missing.")
    if asked != "code":
        failed("response_type", came=asked, expected="code")
        code, description = ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "The response type is not supported."
        raise OAuthError(code, description, rule=Rule.RESPONSE_TYPE, hint=f"{asked!a:.80}")
    return asked


def response_mode(form: Form) -> ResponseMode:
    """How to answer. Asked for before all else: it decides how errors travel, too."""
    asked = form.get("response_mode")
    if asked is None:
        return ResponseMode.QUERY
    if asked not in {mode.value for mode in ResponseMode}:
        failed("response_mode", came=asked, expected=" ".join(ResponseMode))
        raise invalid_request(Rule.RESPONSE_MODE, "The response mode is not supported.", f"{asked!a:.80}")
    return ResponseMode(asked)


def opaque(form: Form, name: str) -> str | None:
    """``state`` and ``nonce``: returned as they came."""
    value = form.get(name)
    if value is not None and len(value) > _LONGEST_OPAQUE:
        hint = f"{len(value)} characters, at most {_LONGEST_OPAQUE}"
        raise invalid_request(Rule.PARAMETER_MALFORMED, f"The parameter {name} is too long.", hint)
    return value


def size(form: Form) -> None:
    """Whether the request is small enough to travel, sealed, through the browser."""
    values = [value for name, value in form.values.items() if name in NAMES - _NOT_CARRIED]
    total = sum(len(value.encode()) for value in (*values, *form.resources))
    if total > _MOST_BYTES:
        hint = f"{total} bytes, at most {_MOST_BYTES}"
        raise invalid_request(Rule.REQUEST_TOO_LARGE, "The request is too large.", hint)


def prompt(form: Form) -> frozenset[str]:
    """OpenID Connect Core §3.1.2.1. Unknown values ask for nothing."""
    values = frozenset((form.get("prompt") or "").split())
    if "none" in values and len(values) > 1:
        description = "The prompt none stands alone."
        raise invalid_request(Rule.PROMPT, description, f"with {', '.join(sorted(values - {'none'}))!a:.80}")
    return values & PROMPTS


def max_age(form: Form, default: int | None) -> int | None:
    """Seconds; ``default`` where the request says nothing."""
    value = form.get("max_age")
    if value is None:
        return default
    if not _DIGITS.fullmatch(value):
        raise invalid_request(Rule.PARAMETER_MALFORMED, "The parameter max_age is not a number of seconds.")
    return int(value)


def words(form: Form, name: str) -> tuple[str, ...]:
    """A list separated by spaces, in its order."""
    return tuple((form.get(name) or "").split()[:_MOST_VALUES])


def languages(form: Form, name: str) -> tuple[str, ...]:
    """The well-formed language tags of a list; others ask for nothing."""
    return tuple(tag for tag in words(form, name) if _LANGUAGE.fullmatch(tag))


def display(form: Form) -> str | None:
    asked = form.get("display")
    return asked if asked in DISPLAYS else None


def claims(form: Form) -> Mapping[str, Any]:
    """The ``claims`` parameter (OpenID Connect Core §5.5): its members ``userinfo`` and ``id_token``."""
    text = form.get("claims")
    if text is None:
        return {}
    try:
        asked = json.loads(text) if len(text) <= _LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        asked = None
    members = [asked.get(name) for name in ("userinfo", "id_token")] if isinstance(asked, dict) else []
    if not isinstance(asked, dict) or not all(_is_member(one) and is_storable(one) for one in members):
        description = "The parameter claims is not what OpenID Connect Core 5.5 describes."
        raise invalid_request(Rule.CLAIMS_MALFORMED, description, f"{len(text)} characters")
    return {name: asked[name] for name in ("userinfo", "id_token") if asked.get(name)}


def _is_member(member: object) -> bool:
    if member is None:
        return True
    return isinstance(member, dict) and all(
        isinstance(name, str) and (wish is None or isinstance(wish, dict)) for name, wish in member.items()
    )


def is_storable_text(text: str) -> bool:
    """Whether every store takes it: no NUL, and no half of a surrogate pair, both of which JSON can spell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def is_storable(value: object, depth: int = 0) -> bool:
    """Whether every store takes a JSON value: what JSON can spell, they may not hold."""
    match value:
        case str():
            return is_storable_text(value)
        case int() | float():
            # Compared, so that infinity and its like are out as well.
            return -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER
        case dict():
            return depth < _DEEPEST and all(
                is_storable_text(name) and is_storable(one, depth + 1) for name, one in value.items()
            )
        case list():
            return depth < _DEEPEST and all(is_storable(one, depth + 1) for one in value)
        case _:
            return value is None
