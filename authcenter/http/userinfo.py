"""``GET`` and ``POST /oauth/userinfo`` (OpenID Connect Core §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import TokenRejected, invalid_token
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.cors import ClientCors
from authcenter.http.credentials import bearer_token
from authcenter.http.forms import read_form
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router
from authcenter.keys.source import LiveKeyRing
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.user_info import UserInfo

PATH = "/oauth/userinfo"


@dataclass(frozen=True, slots=True)
class UserInfoEndpoint:
    """The claims of who an access token was issued for, as JSON, or signed where the client registered for that."""

    user_info: UserInfo
    keys: LiveKeyRing
    issuer: str
    clock: Clock
    cors: ClientCors
    metrics: Metrics

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.answer)
        router.add_post(PATH, self.answer)
        self.cors.mount_preflight(router, PATH, "GET, POST")

    async def answer(self, request: web.BaseRequest) -> Answer:
        # A POST may carry its token in the header and no form at all.
        has_form = request.method == hdrs.METH_POST and hdrs.CONTENT_TYPE in request.headers and request.can_read_body
        token = bearer_token(request, await read_form(request) if has_form else None)
        try:
            claims, client = await self.user_info.of(token)
        except TokenRejected as rejected:
            self.metrics.token_failures.count(rejected.reason)
            raise invalid_token(rejected.reason, rejected.rule, rejected.hint) from rejected
        request[NOTES].client_id = client.client_id
        alg = client.relying_party.userinfo_signed_response_alg
        return self._signed(claims, client, alg) if alg else no_store(encode(claims))

    def _signed(self, claims: Mapping[str, Any], client: Client, alg: str) -> Answer:
        """§5.3.2: with ``iss`` and ``aud``, for this client alone."""
        key = self.keys.ring.signer(alg)
        told = {**claims, "iss": self.issuer, "aud": client.client_id, "iat": int(self.clock.seconds())}
        return Answer(key.jwt(told).encode(), lines=NO_STORE, headers={hdrs.CONTENT_TYPE: "application/jwt"})
