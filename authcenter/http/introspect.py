"""``POST /oauth/introspect`` (RFC 7662), signed on request (RFC 9701)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.clients.authentication import ClientAuthentication
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import OAuthError, Unavailable
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES, RequestNotes
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import read_form
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router
from authcenter.keys.source import LiveKeyRing
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.introspection import Introspection, Introspector

PATH = "/oauth/introspect"
_JWT = "token-introspection+jwt"
_INACTIVE = b'{"active":false}'


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """The introspection endpoint."""

    authentication: ClientAuthentication
    introspector: Introspector
    keys: LiveKeyRing
    algorithm: Callable[[], str]
    issuer: str
    clock: Clock
    metrics: Metrics

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self.post)

    async def post(self, request: web.BaseRequest) -> Answer:
        started = time.perf_counter()
        notes = request[NOTES]
        outcome = "error"
        try:
            form = await read_form(request)
            presented = client_credentials(request, form)
            notes.client_id = presented.client_id
            caller = await self.authentication.authenticate(presented, notes.origin.ip)
            answer = await self.introspector.introspect(form.require("token"), caller)
            outcome = self._note(notes, answer)
            if f"application/{_JWT}" in request.headers.get(hdrs.ACCEPT, ""):
                return self._signed(answer, caller)
            return no_store(_INACTIVE if answer.claims is None else encode(answer.claims))
        except OAuthError:
            outcome = "refused"
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        finally:
            self.metrics.introspections.count(outcome)
            self.metrics.introspection_seconds.observe(time.perf_counter() - started)

    def _note(self, notes: RequestNotes, answer: Introspection) -> str:
        if answer.claims is not None:
            return "active"
        if answer.rule is not None:
            notes.verdict = (answer.rule, answer.hint)
        if answer.reason is not None:
            self.metrics.token_failures.count(answer.reason)
        return "inactive"

    def _signed(self, answer: Introspection, caller: Client) -> Answer:
        """RFC 9701 §5: a JWT of its own type, for this caller alone."""
        members = answer.claims or {"active": False}
        claims = {
            "iss": self.issuer,
            "aud": caller.client_id,
            "iat": int(self.clock.seconds()),
            "token_introspection": members,
        }
        key = self.keys.ring.signer(self.algorithm())
        return Answer(key.jwt(claims, _JWT).encode(), lines=NO_STORE, headers={"Content-Type": f"application/{_JWT}"})
