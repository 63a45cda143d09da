"""``POST /oauth/par`` (RFC 9126): the client itself brings its authorization request, and gets a reference to it."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.authorization.checks import AuthorizationChecks
from authcenter.authorization.pushed import LIFETIME, PushedRequests
from authcenter.authorization.reading import RequestReader, Way
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.quota import TokenQuota
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import read_form
from authcenter.http.responses import Answer, no_store, with_quota
from authcenter.http.router import Router

PATH = "/oauth/par"


@dataclass(frozen=True, slots=True)
class PushedRequestEndpoint:
    """The pushed authorization request endpoint. What it refuses it refuses as JSON: no person sees it.

    Attributes:
        quota: Shared with the token endpoint: each pushed request is a row.
    """

    authentication: ClientAuthentication
    quota: TokenQuota
    reader: RequestReader
    checks: AuthorizationChecks
    pushed: PushedRequests

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self.post)

    async def post(self, request: web.BaseRequest) -> Answer:
        form = await read_form(request)
        presented = client_credentials(request, form)
        notes = request[NOTES]
        notes.client_id = presented.client_id
        client = await self.authentication.authenticate(presented, notes.origin.ip)
        self.quota.take(presented, notes.origin.ip)
        asked = await self.reader.read(form, client, Way.PUSH)
        await self.checks.check(asked, self.checks.answerable(asked.form, client))
        request_uri = await self.pushed.keep(asked.form, client)
        body = encode({"request_uri": request_uri, "expires_in": int(LIFETIME.total_seconds())})
        left = self.quota.left(presented, notes.origin.ip)
        return with_quota(no_store(body, 201), left.limit, left.remaining, left.reset_after)
