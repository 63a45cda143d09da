"""``POST /oauth/token`` (RFC 6749 §3.2). Decides nothing: reads, calls, writes."""

import time
from collections.abc import Awaitable
from dataclasses import dataclass

from aiohttp import web

from authcenter.clients.quota import TokenQuota
from authcenter.core.errors import OAuthError, Unavailable
from authcenter.core.form import Form
from authcenter.grants.composite import CompositeTokenGranter
from authcenter.http.context import NOTES
from authcenter.http.cors import ClientCors
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import read_form
from authcenter.http.responses import Answer, no_store, with_quota
from authcenter.http.router import Router
from authcenter.telemetry.metrics import Metrics

PATH = "/oauth/token"


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The token endpoint."""

    granter: CompositeTokenGranter
    quota: TokenQuota
    cors: ClientCors
    metrics: Metrics

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self.post)
        self.cors.mount_preflight(router, PATH)

    async def post(self, request: web.BaseRequest) -> Answer:
        return await self.answer(request, read_form(request))

    async def answer(self, request: web.BaseRequest, asked: Awaitable[Form]) -> Answer:
        """Answer a token request that may have come in another form than the endpoint's own.

        Raises:
            OAuthError, Unavailable: As ``CompositeTokenGranter.serve``, and what ``asked`` raises.
        """
        started = time.perf_counter()
        notes = request[NOTES]
        grant_type, outcome = "unknown", "error"
        try:
            form = await asked
            grant_type = self._label(form)
            presented = client_credentials(request, form)
            notes.client_id = presented.client_id
            tokens = await self.granter.serve(form, presented, notes.origin)
            outcome = "granted"
            left = self.quota.left(presented, notes.origin.ip)
            return with_quota(no_store(tokens.body), left.limit, left.remaining, left.reset_after)
        except OAuthError as refused:
            outcome = refused.code
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        finally:
            self.metrics.token_requests.count(grant_type, outcome)
            self.metrics.token_seconds.observe(time.perf_counter() - started, grant_type)

    def _label(self, form: Form) -> str:
        grant_type = form.get("grant_type") or ""
        return grant_type if grant_type in self.granter.strategies else "unknown"
