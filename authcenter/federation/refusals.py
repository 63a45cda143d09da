"""What can go wrong with a provider, as refusals. None is a 5xx: proxies would repeat the request or hide the page."""

from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.rules import Rule

FAILED_DEPENDENCY = 424


def unavailable(hint: str) -> OAuthError:
    """No answer, or not in time."""
    description = "The identity provider does not answer. Try again later."
    return _failed(ErrorCode.TEMPORARILY_UNAVAILABLE, description, Rule.PROVIDER_UNAVAILABLE, hint)


def nonsense(hint: str) -> OAuthError:
    """An answer that does not hold to the protocol."""
    return _failed(ErrorCode.INVALID_REQUEST, _UNUSABLE, Rule.PROVIDER_ANSWER, hint)


def bad_id_token(hint: str) -> OAuthError:
    """An ID token that must not be believed."""
    return _failed(ErrorCode.INVALID_REQUEST, _UNUSABLE, Rule.PROVIDER_ID_TOKEN, hint)


def refused_there(error: str) -> OAuthError:
    """The provider itself says no. ``error``: its word for it, which anybody may have written."""
    description = "The identity provider refused."
    return _failed(ErrorCode.ACCESS_DENIED, description, Rule.PROVIDER_REFUSED, f"it says {error!a:.80}")


def mixed_up(hint: str) -> OAuthError:
    """Not the answer of the provider that was asked (RFC 9207 §2.4)."""
    description = "This is not the answer of the identity provider that was asked."
    return OAuthError(ErrorCode.INVALID_REQUEST, description, rule=Rule.PROVIDER_MIX_UP, hint=hint)


def _failed(code: ErrorCode, description: str, rule: Rule, hint: str) -> OAuthError:
    return OAuthError(code, description, rule=rule, hint=hint, status=FAILED_DEPENDENCY)


_UNUSABLE = "The identity provider's answer can not be used."
