"""The frame of the admin API: who may ask, what the path and the query say, and problem documents (RFC 9457).

Every endpoint of ``/admin/v1`` is mounted here, so that none can forget to ask who is there. Lists are pages
(``paging``), single things objects, what has nothing to tell 204; acts are ``POST`` to a verb below the thing.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import hdrs, web

from authcenter.accounts.oversight import By
from authcenter.core.errors import ErrorCode, NotFound, OAuthError, TokenRejected, invalid_token
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.http.context import NOTES
from authcenter.http.credentials import bearer_token
from authcenter.http.forms import parse_form
from authcenter.http.json_bodies import read_json
from authcenter.http.problems import with_problems
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.admin_callers import AdminCaller, AdminCallers

ROOT = "/admin/v1"


class Asked(Value, frozen=True):
    """A request of somebody who may make it.

    Attributes:
        path: What stands in the segments of the path that vary, decoded, by the names in the pattern's braces.
        query: The query's parameters; none but those that the endpoint knows.
    """

    request: web.BaseRequest
    caller: AdminCaller
    path: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def by(self) -> By:
        """Who does what is asked for, for the audit log."""
        return By(self.caller.actor, self.request[NOTES].origin)

    async def document(self) -> dict[str, Any]:
        """The object that is the body. Raises ``OAuthError``: ``invalid_request``, as ``read_json``."""
        return await read_json(self.request)


AdminHandler = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class AdminFrame:
    """Mounts handlers behind the question who asks."""

    callers: AdminCallers
    metrics: Metrics

    def mount(
        self, router: Router, method: str, path: str, handler: AdminHandler, *, query: Collection[str] = ()
    ) -> None:
        """``path``: below ``/admin/v1``, segments that vary in braces; ``query``: the parameters there may be."""
        pattern = f"{ROOT}{path}"
        known = frozenset(query)

        async def answer(request: web.BaseRequest) -> Answer:
            # First of all, so that strangers learn nothing, not even what is malformed.
            caller = await self._caller(request)
            values = _path_values(pattern, request.rel_url.raw_path)
            return await handler(Asked(request, caller, values, _query(request, known)))

        for each in (hdrs.METH_GET, hdrs.METH_HEAD) if method == hdrs.METH_GET else (method,):
            router.add_pattern(each, pattern, with_problems(answer))

    async def _caller(self, request: web.BaseRequest) -> AdminCaller:
        try:
            caller = await self.callers.of(bearer_token(request))
        except TokenRejected as rejected:
            self.metrics.token_failures.count(rejected.reason)
            raise invalid_token(rejected.reason, rejected.rule, rejected.hint) from rejected
        request[NOTES].client_id = caller.client.client_id
        return caller


def _path_values(pattern: str, raw_path: str) -> Mapping[str, str]:
    pairs = zip(pattern.split("/"), raw_path.split("/"), strict=True)
    try:
        values = {name[1:-1]: unquote(came, errors="strict") for name, came in pairs if name.startswith("{")}
    except UnicodeDecodeError as problem:
        raise NotFound("the path is not UTF-8") from problem
    if not all(value.isprintable() for value in values.values()):
        raise NotFound("the path has a control character")
    return values


def _query(request: web.BaseRequest, known: frozenset[str]) -> Mapping[str, str]:
    form = parse_form(request.rel_url.raw_query_string.encode())
    came = {*form.values, *(["resource"] if form.resources else [])}
    if unknown := came - known:
        description = "The query has a parameter that is not known here."
        raise OAuthError(ErrorCode.INVALID_REQUEST, description, rule=Rule.QUERY_UNKNOWN, hint=f"{min(unknown)!a:.80}")
    return form.values
