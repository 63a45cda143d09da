"""Access tokens in requests to this server's own resources, and refusals in the words of RFC 6750."""

from aiohttp import hdrs, web

from authcenter.core.errors import TokenRejected, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.core.wire_json import encode
from authcenter.http.responses import Answer, no_store
from authcenter.sdk.verification import InsufficientScope

_SCHEME = "bearer"


def bearer_token(request: web.BaseRequest, form: Form | None = None) -> str | None:
    """The one access token a request carries (RFC 6750 §2): in its header, or, given ``form``, in its body.

    Never in the URL. None: it carries none.

    Raises:
        OAuthError: ``invalid_request``: more than one.
    """
    presented = [*_from_headers(request), *([token] if form and (token := form.get("access_token")) else [])]
    if len(presented) > 1:
        description = "The request carries more than one access token."
        raise invalid_request(Rule.CREDENTIALS_SEVERAL, description, f"{len(presented)} tokens")
    return presented[0] if presented else None


def _from_headers(request: web.BaseRequest) -> list[str]:
    values = request.headers.getall(hdrs.AUTHORIZATION, ())
    pairs = [value.strip().partition(" ") for value in values]
    return [token.strip() for scheme, _, token in pairs if scheme.lower() == _SCHEME and token.strip()]


def challenge(realm: str, refused: TokenRejected | InsufficientScope | None) -> Answer:
    """401 or 403 with what the client has to know (RFC 6750 §3.1): nothing of which check refused.

    Args:
        refused: None: there was no token, and then no error code either.
    """
    if isinstance(refused, InsufficientScope):
        scope = " ".join(refused.required)
        return _answer(realm, 403, "insufficient_scope", "The access token lacks a scope.", f', scope="{scope}"')
    if refused is None:
        answer = no_store(encode({"error": "invalid_token", "error_description": "An access token is needed."}), 401)
        answer.headers[hdrs.WWW_AUTHENTICATE] = f'Bearer realm="{realm}"'
        return answer
    return _answer(realm, 401, "invalid_token", "The access token is not valid.")


def _answer(realm: str, status: int, code: str, description: str, more: str = "") -> Answer:
    answer = no_store(encode({"error": code, "error_description": description}), status)
    parts = f'Bearer realm="{realm}", error="{code}", error_description="{description}"{more}'
    answer.headers[hdrs.WWW_AUTHENTICATE] = parts
    return answer
