"""The guard of a resource server on aiohttp.

    app = web.Application(middlewares=[bearer_guard(verifier, public=["/healthz"])])

Every request needs a token but those for public paths, for the metadata document, and CORS preflights (``OPTIONS`` with
``Origin`` and ``Access-Control-Request-Method``). A preflight reaches the application without a token: mind handlers of
routes for any method (``*``), or give ``pass_preflight=False`` and answer preflights in a middleware before this one.
The guard belongs on the outermost application. Bodies are neither read nor buffered.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from authcenter.core.token import AccessToken
from authcenter.sdk.admission import METADATA_HEADERS, Admission
from authcenter.sdk.bearer import Denial, NoCredentials
from authcenter.sdk.scope_check import check_scopes, checked_scopes
from authcenter.sdk.verification import InsufficientScope, TokenVerification

ACCESS_TOKEN = web.RequestKey("authcenter.access_token", AccessToken)
"""Where the guard puts the token that let a request in."""


def bearer_guard(
    verification: TokenVerification,
    *,
    scopes: Sequence[str] = (),
    scopes_supported: Sequence[str] = (),
    public: Sequence[str] = (),
    pass_preflight: bool = True,
    metadata: Mapping[str, Any] | None = None,
) -> Middleware:
    """A middleware that lets in who brings a good token, and answers all others as RFC 6750 and RFC 9728 have it.

    Args:
        scopes: All of which every guarded request needs.
        scopes_supported: Further ones, for the metadata document.
        public: Paths that need no token: exactly this one, or with ``/*`` at the end everything below it.
        pass_preflight: Let CORS preflights through without a token.
        metadata: Further members of the metadata document (``resource_name`` …).

    Raises:
        ValueError: A scope or a path that cannot be one.
    """
    admission = Admission(
        verification,
        scopes=scopes,
        scopes_supported=scopes_supported,
        public=public,
        pass_preflight=pass_preflight,
        metadata=metadata,
    )

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        # As it was sent: decoded, `/a%2Fb` would pass for `/a/b`, which the router holds for another path.
        path = request.rel_url.raw_path
        if path == admission.metadata_path and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
            return web.Response(body=admission.metadata, headers=METADATA_HEADERS)
        try:
            if admission.is_public(path) or admission.passes_preflight(request.method, request.headers.__contains__):
                return await handler(request)
            admitted = await admission.admit(
                request.headers.getall(hdrs.AUTHORIZATION, []), request.rel_url.raw_query_string
            )
            if isinstance(admitted, Denial):
                return _answer(admitted)
            request[ACCESS_TOKEN] = admitted
            return await handler(request)
        except (InsufficientScope, NoCredentials) as refused:
            return _answer(admission.denial(refused))

    return guard


def access_token(request: web.BaseRequest, *scopes: str) -> AccessToken:
    """The token that let the request in; with ``scopes``, only if it has all of them.

    Raises:
        NoCredentials: None did: a public path, or no guard before this handler. The guard answers it with 401.
        InsufficientScope: The guard answers it with 403.
    """
    if ACCESS_TOKEN not in request:
        raise NoCredentials("no guard has let this request in")
    token = request[ACCESS_TOKEN]
    check_scopes(token, scopes)
    return token


def require_scope(
    *scopes: str,
) -> Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Handler]:
    """A decorator for handlers: only with a token that has all of these scopes (403 ``insufficient_scope``)."""
    required = checked_scopes(scopes)

    def decorate(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
        @functools.wraps(handler)
        async def scoped(request: web.Request) -> web.StreamResponse:
            access_token(request, *required)
            return await handler(request)

        return scoped

    return decorate


def _answer(denial: Denial) -> web.Response:
    return web.Response(status=denial.status, headers=denial.headers, body=denial.body)
