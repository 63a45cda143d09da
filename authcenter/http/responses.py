"""Answers: JSON that no cache keeps, and refusals in their RFC's form."""

from math import ceil

from aiohttp import web
from multidict import CIMultiDict, istr

from authcenter.core.errors import ErrorCode, OAuthError, RateLimited, Unavailable
from authcenter.core.wire_json import encode

_NO_STORE = CIMultiDict(
    {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"},
)
_LIMIT, _REMAINING, _RESET = istr("RateLimit-Limit"), istr("RateLimit-Remaining"), istr("RateLimit-Reset")
_CHALLENGE = 'Basic realm="authcenter", charset="UTF-8"'


def no_store(body: bytes, status: int = 200) -> web.Response:
    """JSON that must not be cached (RFC 6749 §5.1)."""
    return web.Response(body=body, status=status, headers=CIMultiDict(_NO_STORE))


def error(code: str, description: str, status: int) -> web.Response:
    return no_store(encode({"error": code, "error_description": description}), status)


def refusal(refused: OAuthError) -> web.Response:
    """A refusal as RFC 6749 §5.2 has it; 401 always says how to authenticate, 429 when to come again."""
    response = error(refused.code, refused.description, refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    if isinstance(refused, RateLimited):
        # RFC 6585 §4: when one request will do, which is earlier than when all of the limit is free again.
        response.headers["Retry-After"] = str(max(1, ceil(refused.retry_after)))
        return with_quota(response, refused.limit, 0, refused.reset_after)
    return response


def with_quota(response: web.Response, limit: int, remaining: int, reset_after: float) -> web.Response:
    """``RateLimit-*`` as deployed clients read them (draft-ietf-httpapi-ratelimit-headers-06 §5): the later drafts'
    structured fields have no readers yet, and change with each draft."""
    headers = response.headers
    headers[_LIMIT] = str(limit)
    headers[_REMAINING] = str(remaining)
    headers[_RESET] = str(ceil(reset_after))
    return response


def unavailable(cause: Unavailable) -> web.Response:
    """Cannot tell now: try again."""
    response = error(ErrorCode.TEMPORARILY_UNAVAILABLE, "Try again later.", 503)
    response.headers["Retry-After"] = str(cause.retry_after)
    return response
