"""Scopes that requests need, and tokens that have them (RFC 6750 §3.1)."""

from collections.abc import Sequence

from authcenter.core.scope import is_scope_token
from authcenter.core.token import AccessToken
from authcenter.sdk.verification import InsufficientScope


def checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """``scopes``, all of which are scope values (RFC 6749 §3.3).

    Raises:
        ValueError: One is not.
    """
    if bad := [scope for scope in scopes if not is_scope_token(scope)]:
        raise ValueError(f"not scope values: {bad}")
    return tuple(scopes)


def check_scopes(token: AccessToken, required: tuple[str, ...]) -> None:
    """Raises:
    InsufficientScope: The token lacks one of them.
    """
    if missing := tuple(scope for scope in required if scope not in token.scopes):
        raise InsufficientScope(required, missing)
