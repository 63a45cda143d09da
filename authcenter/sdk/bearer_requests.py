"""A client middleware of aiohttp that puts tokens on requests, and asks again where one was refused."""

import re
from collections.abc import Iterable

from aiohttp import BytesPayload, ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse, hdrs
from yarl import URL

from authcenter.core.errors import Unavailable
from authcenter.sdk.client_credentials import ClientCredentials, TokenRefused

_INVALID_TOKEN = re.compile(r'\bBearer\b.*\berror="?invalid_token\b', re.IGNORECASE | re.DOTALL)


def bearer_requests(
    credentials: ClientCredentials,
    *origins: str,
    scopes: Iterable[str] | None = None,
    resource: str | None = None,
) -> ClientMiddlewareType:
    """``ClientSession(middlewares=[bearer_requests(credentials, "https://orders.example")])``.

    A 401 with ``invalid_token`` drops the token and repeats the request once with a new one. That is right for every
    method (a request answered 401 'has not been applied', RFC 9110 §15.5.2), but only where the body still is at hand:
    none, bytes, text, JSON, a plain form. Streams, files and multipart forms are not sent twice; their 401 is returned,
    as it is where there is no new token.

    Args:
        origins: Where tokens go: scheme, host and port. Requests elsewhere (also by redirect) and those that carry an
            ``Authorization`` of their own go out as they are.
        scopes, resource: What to ask the token for, instead of the credentials' own.

    Raises:
        ValueError: No origin, or none that is a URL.
    """
    if not origins:
        raise ValueError("say where tokens may go: at least one origin")
    trusted = frozenset(URL(origin).origin() for origin in origins)
    wanted = None if scopes is None else tuple(scopes)

    async def middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if request.url.origin() not in trusted or hdrs.AUTHORIZATION in request.headers:
            return await handler(request)
        token = await credentials.token(scopes=wanted, resource=resource)
        request.headers[hdrs.AUTHORIZATION] = f"Bearer {token}"
        response = await handler(request)
        if not _calls_invalid(response) or not _body_at_hand(request) or not credentials.drop(token):
            return response
        try:
            token = await credentials.token(scopes=wanted, resource=resource)
        except (TokenRefused, Unavailable):
            return response
        response.release()
        request.headers[hdrs.AUTHORIZATION] = f"Bearer {token}"
        return await handler(request)

    return middleware


def _calls_invalid(response: ClientResponse) -> bool:
    challenges = response.headers.getall(hdrs.WWW_AUTHENTICATE, [])
    return response.status == 401 and any(_INVALID_TOKEN.search(challenge) for challenge in challenges)


def _body_at_hand(request: ClientRequest) -> bool:
    return not request.body or isinstance(request.body, BytesPayload)
