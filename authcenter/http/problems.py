"""JSON for first-party apps and operators (``/api``, ``/admin``): refusals as problem documents (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from authcenter.accounts.password_rules import PasswordRefused
from authcenter.core.errors import Conflict, InvalidInput, NotFound, OAuthError, Unavailable
from authcenter.core.rules import Rule
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.responses import NO_STORE, Answer, error, header_lines, with_directions
from authcenter.http.router import Handler

_UNDER = ("/api/", "/admin/")
_PROBLEM = NO_STORE + header_lines({hdrs.CONTENT_TYPE: "application/problem+json"})


def with_problems(handler: Handler) -> Handler:
    """``handler``, whose refusals become problem documents; ``error`` in them is the code of RFC 6749."""

    async def answer(request: web.BaseRequest) -> Answer:
        notes = request[NOTES]
        try:
            return await handler(request)
        except OAuthError as refused:
            notes.verdict = (refused.rule, refused.hint)
            return with_directions(problem(refused.status, refused.description, error=str(refused.code)), refused)
        except PasswordRefused as refused:
            notes.verdict = (Rule.INPUT_REFUSED, str(refused))
            advice = [] if refused.strength is None else refused.strength.advice
            return problem(422, str(refused), reason=refused.reason, advice=advice)
        except (InvalidInput, Conflict, NotFound) as refused:
            status, rule = verdict_on(refused)
            notes.verdict = (rule, str(refused))
            return problem(status, str(refused))
        except Unavailable as cause:
            notes.verdict = (cause.rule, cause.hint)
            return problem_of_outage(cause)

    return answer


def verdict_on(refused: InvalidInput | Conflict | NotFound) -> tuple[int, Rule]:
    """The status of what the record refuses, and the rule that it goes by."""
    return next(_OURS[kind] for kind in type(refused).__mro__ if kind in _OURS)


def answers_problems(path: str) -> bool:
    """Whether what is refused at ``path`` is to be a problem document, whoever refuses it."""
    return path.startswith(_UNDER)


def refusal_at(path: str, code: str, description: str, status: int) -> Answer:
    """A refusal in the form that is read at ``path``: as RFC 6749 has it, or a problem document."""
    if answers_problems(path):
        return problem(status, description, error=str(code))
    return error(code, description, status)


def problem_of_outage(cause: Unavailable) -> Answer:
    """Cannot tell now: try again."""
    answer = problem(503, "Try again later.", error="temporarily_unavailable")
    answer.headers[hdrs.RETRY_AFTER] = str(cause.retry_after)
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
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_OURS: Mapping[type[Exception], tuple[int, Rule]] = {
    InvalidInput: (422, Rule.INPUT_REFUSED),
    Conflict: (409, Rule.NAME_TAKEN),
    NotFound: (404, Rule.NAME_UNKNOWN),
}
