"""Answers: JSON that no cache keeps, and refusals in their RFC's form."""

from aiohttp import web
from multidict import CIMultiDict

from authcenter.core.errors import ErrorCode, OAuthError, Unavailable
from authcenter.core.wire_json import encode

_NO_STORE = CIMultiDict(
    {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"},
)
_CHALLENGE = 'Basic realm="authcenter", charset="UTF-8"'


def no_store(body: bytes, status: int = 200) -> web.Response:
    """JSON that must not be cached (RFC 6749 §5.1)."""
    return web.Response(body=body, status=status, headers=CIMultiDict(_NO_STORE))


def error(code: str, description: str, status: int) -> web.Response:
    return no_store(encode({"error": code, "error_description": description}), status)


def refusal(refused: OAuthError) -> web.Response:
    """A refusal as RFC 6749 §5.2 has it; 401 always says how to authenticate."""
    response = error(refused.code, refused.description, refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    return response


def unavailable(cause: Unavailable) -> web.Response:
    """Cannot tell now: try again."""
    response = error(ErrorCode.TEMPORARILY_UNAVAILABLE, "Try again later.", 503)
    response.headers["Retry-After"] = str(cause.retry_after)
    return response
