"""``POST /oauth/revoke`` (RFC 7009): 200 whatever the token was, once the client is who it says."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.clients.authentication import ClientAuthentication
from authcenter.http.context import NOTES
from authcenter.http.cors import ClientCors
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import read_form
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.tokens.surrender import TokenSurrender

PATH = "/oauth/revoke"


@dataclass(frozen=True, slots=True)
class RevocationEndpoint:
    """The revocation endpoint."""

    authentication: ClientAuthentication
    surrender: TokenSurrender
    cors: ClientCors

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self.post)
        self.cors.mount_preflight(router, PATH)

    async def post(self, request: web.BaseRequest) -> Answer:
        notes = request[NOTES]
        form = await read_form(request)
        presented = client_credentials(request, form)
        notes.client_id = presented.client_id
        client = await self.authentication.authenticate(presented, notes.origin.ip)
        notes.verdict = await self.surrender.surrender(form.require("token"), client, notes.origin)
        return no_store(b"")
