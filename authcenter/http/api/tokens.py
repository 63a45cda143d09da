"""``POST /api/v1/auth/login`` and ``/refresh``: tokens for first-party apps, in JSON.

The same grants as at the token endpoint (RFC 6749 §4.3, §6), with all of their checks, limits and metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from authcenter.accounts.second_factors import mfa_required
from authcenter.clients.authentication import ClientAuthentication
from authcenter.core.errors import OAuthError, first_party_only, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.credentials import client_credentials
from authcenter.http.json_bodies import read_json
from authcenter.http.problems import with_problems
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.http.token import TokenEndpoint

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"

_CLIENT = ("client_id", "client_secret")
_LOGIN = (*_CLIENT, "username", "password", "otp", "recovery_code", "scope", "resource")
_REFRESH = (*_CLIENT, "refresh_token", "scope", "resource")


@dataclass(frozen=True, slots=True)
class TokensForApps:
    """Reads JSON; what may be issued is the grants' to say."""

    tokens: TokenEndpoint
    authentication: ClientAuthentication

    def mount(self, router: Router) -> None:
        router.add_post(LOGIN, with_problems(self.login))
        router.add_post(REFRESH, with_problems(self.refresh))

    async def login(self, request: web.BaseRequest) -> Answer:
        try:
            return await self.tokens.answer(request, self._form(request, "password", _LOGIN))
        except OAuthError as refused:
            if refused.rule is Rule.USER_SECOND_FACTOR_DUE:
                # The password was right. An app of ours may know: it sends `otp` or `recovery_code`, too.
                raise mfa_required(refused.hint) from refused
            raise

    async def refresh(self, request: web.BaseRequest) -> Answer:
        return await self.tokens.answer(request, self._form(request, "refresh_token", _REFRESH))

    async def _form(self, request: web.BaseRequest, grant_type: str, names: Sequence[str]) -> Form:
        """The token request that the document amounts to; members of other names are ignored (RFC 6749 §3.2).

        Raises:
            OAuthError: The document does not hold, the client is none, or not first-party.
            Unavailable: Cannot tell.
        """
        document = await read_json(request)
        values = {name: document[name] for name in names if document.get(name) is not None}
        for name, value in values.items():
            if not isinstance(value, str):
                raise invalid_request(Rule.PARAMETER_MALFORMED, f"The member {name} must be a text.")
        resource = values.pop("resource", None)
        form = Form({**values, "grant_type": grant_type}, (resource,) if resource else ())
        presented = client_credentials(request, form)
        client = await self.authentication.authenticate(presented, request[NOTES].origin.ip)
        if not client.first_party:
            raise first_party_only(Rule.CLIENT_NOT_FIRST_PARTY, f"{client.client_id} is not first-party")
        return form
