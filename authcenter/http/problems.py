"""JSON for first-party apps and operators (``/api``, ``/admin``): refusals as problem documents (RFC 9457)."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from aiohttp import hdrs, web

from authcenter.accounts.password_rules import PasswordRefused
from authcenter.core.errors import BearerRefused, Conflict, InvalidInput, NotFound, OAuthError, RateLimited, Unavailable
from authcenter.core.rules import Rule
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.responses import NO_STORE, Answer, header_lines, refusal
from authcenter.http.router import Handler

_PROBLEM = NO_STORE + header_lines({hdrs.CONTENT_TYPE: "application/problem+json"})


def with_problems(handler: Handler) -> Handler:
    """``handler``, whose refusals become problem documents; ``error`` in them is the code of RFC 6749."""

    async def answer(request: web.BaseRequest) -> Answer:
        notes = request[NOTES]
        try:
            return await handler(request)
        except OAuthError as refused:
            notes.verdict = (refused.rule, refused.hint)
            answer = problem(refused.status, refused.description, error=str(refused.code))
            if isinstance(refused, BearerRefused):
                answer.headers[hdrs.WWW_AUTHENTICATE] = refusal(refused).headers[hdrs.WWW_AUTHENTICATE]
            if isinstance(refused, RateLimited):
                answer.headers[hdrs.RETRY_AFTER] = str(max(1, ceil(refused.retry_after)))
            return answer
        except PasswordRefused as refused:
            notes.verdict = (Rule.INPUT_REFUSED, str(refused))
            advice = [] if refused.strength is None else refused.strength.advice
            return problem(422, str(refused), reason=refused.reason, advice=advice)
        except (InvalidInput, Conflict, NotFound) as refused:
            status, rule = _OURS[type(refused)]
            notes.verdict = (rule, str(refused))
            return problem(status, str(refused))
        except Unavailable as cause:
            notes.verdict = (cause.rule, cause.hint)
            answer = problem(503, "Try again later.", error="temporarily_unavailable")
            answer.headers[hdrs.RETRY_AFTER] = str(cause.retry_after)
            return answer

    return answer


def problem(status: int, detail: str, **members: Any) -> Answer:
    """A problem document (RFC 9457 §3): ``detail`` is for people, and tells strangers nothing."""
    told: Mapping[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "detail": detail,
        **members,
    }
    return Answer(encode(told), status, _PROBLEM)


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
_OURS: Mapping[type[Exception], tuple[int, Rule]] = {
    InvalidInput: (422, Rule.INPUT_REFUSED),
    Conflict: (409, Rule.NAME_TAKEN),
    NotFound: (404, Rule.NAME_UNKNOWN),
}
