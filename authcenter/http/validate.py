"""``/oauth/validate/{gateway}``: forward authentication for NGINX, HAProxy, Traefik and Envoy (RFC 6750).

A gateway asks before it passes a request on. 200: pass it on, with the ``X-Auth-*`` headers of this answer in place of
whatever the caller sent under these names; 401, 403: give this answer to the caller; all else: nobody passes.

Any method and any path below the gateway's name are answered alike, because Envoy asks with the method and path of the
request it asks about, and Traefik, by version, with its method. For the same reason no body is read: the one that a
``Content-Length`` promises stays with the gateway. OPTIONS is no exception: browsers send a CORS preflight without a
token, so that the gateway, which knows its own origins, has to answer it.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from aiohttp import web

from authcenter.core.token import AccessToken
from authcenter.http.context import NOTES
from authcenter.http.credentials import bearer_token
from authcenter.http.origin import storable
from authcenter.http.responses import Answer, header_lines
from authcenter.http.router import Router
from authcenter.tokens.gateways import MOST_KEPT_SECONDS, GatewayGuard

PATH = "/oauth/validate/{gateway}"
IDENTITY_HEADERS = (
    "X-Auth-Subject",
    "X-Auth-Client",
    "X-Auth-Scope",
    "X-Auth-Username",
    "X-Auth-Roles",
    "X-Auth-Acr",
)
"""All of them are in every 200, so that a gateway that copies what it gets leaves none of the caller's own."""

_START = PATH.partition("{")[0]
_REMEMBERED = 10_000
_LONGEST_METHOD = 20
_AUTHORITY = re.compile(r"^[^/?#]*://[^/?#]*")
_BEYOND_PATH = re.compile(r"[?#]")


def _keep(seconds: int) -> bytes:
    """How long the answer may be kept, by one who asks with the same token. NGINX reads a header of its own."""
    if seconds == 0:
        return header_lines({"X-Accel-Expires": "0", "Cache-Control": "no-store", "Vary": "Authorization"})
    kept = {"X-Accel-Expires": str(seconds), "Cache-Control": f"private, max-age={seconds}"}
    return header_lines({**kept, "Vary": "Authorization"})


_KEEP = tuple(_keep(seconds) for seconds in range(MOST_KEPT_SECONDS + 1))


@dataclass(frozen=True, slots=True)
class ValidateEndpoint:
    """The forward authentication endpoint. Holds the header lines of tokens it has seen: they are a third of the work.

    What is held is keyed by the whole token and counts only for the very value that the verifier has just vouched for.
    """

    guard: GatewayGuard
    _told: dict[str, tuple[AccessToken, bytes]] = field(default_factory=dict)

    def mount(self, router: Router) -> None:
        router.add_subtree(PATH, self.answer)

    async def answer(self, request: web.BaseRequest) -> Answer:
        notes = request[NOTES]
        if notes.origin.by_proxy:
            notes.original = _original(request)
        gateway = self.guard.find(request.path[len(_START) :].partition("/")[0])
        token = bearer_token(request)
        admission = await self.guard.admit(gateway, token)
        notes.client_id = admission.token.client_id
        return Answer(lines=self._lines(token, admission.token) + _KEEP[admission.keep_for])

    def _lines(self, token: str, held: AccessToken) -> bytes:
        told = self._told.get(token)
        if told is not None and told[0] is held:
            return told[1]
        lines = identity_lines(held)
        if len(self._told) >= _REMEMBERED:
            # The oldest goes: dictionaries keep the order of insertion.
            del self._told[next(iter(self._told))]
        self._told[token] = held, lines
        return lines


def identity_lines(token: AccessToken) -> bytes:
    """What the token says of its holder, for those behind the gateway: percent-encoded UTF-8, empty when absent.

    Scopes and roles are separated by spaces, which neither can contain: decode first, then split.
    """
    claims = token.claims
    roles = claims.get("roles")
    texts = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    values = (
        token.subject,
        token.client_id,
        _text(claims.get("scope")),
        _text(claims.get("username")),
        " ".join(texts),
        _text(claims.get("acr")),
    )
    encoded = (quote(value, safe="", errors="replace") for value in values)
    return header_lines(dict(zip(IDENTITY_HEADERS, encoded, strict=True)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _original(request: web.BaseRequest) -> tuple[str, str]:
    """Method and path of the request that a trusted gateway asks about; queries may hold secrets and are left out."""
    headers = request.headers
    method = headers.get("X-Original-Method") or headers.get("X-Forwarded-Method") or ""
    uri = headers.get("X-Original-URI") or headers.get("X-Forwarded-Uri") or ""
    path = _BEYOND_PATH.split(_AUTHORITY.sub("", uri, count=1), maxsplit=1)[0]
    return storable(method)[:_LONGEST_METHOD], storable(path)
