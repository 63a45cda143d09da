"""Who asks at ``/api/v1/auth``: a person, by an access token of their own, through a first-party client."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.core.errors import TokenRejected, first_party_only, invalid_token
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.credentials import bearer_token
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.token_owners import TokenOwner, TokenOwners


@dataclass(frozen=True, slots=True)
class OwnTokens:
    """Reads the bearer token of requests that a person makes about their own account."""

    owners: TokenOwners
    metrics: Metrics

    async def signed_in_user(self, request: web.BaseRequest) -> TokenOwner:
        """Who asks: the person, the token they ask by, and its client.

        The token's audience must be this server, its scope have ``openid``, and its client be first-party: what a
        person may do to their account, an application of strangers may not do in their name.

        Raises:
            BearerRefused: No token, or one that does not hold here.
            OAuthError: The client is not first-party.
            Unavailable: Cannot tell.
        """
        try:
            owner = await self.owners.of(bearer_token(request))
        except TokenRejected as rejected:
            self.metrics.token_failures.count(rejected.reason)
            raise invalid_token(rejected.reason, rejected.rule, rejected.hint) from rejected
        request[NOTES].client_id = owner.client.client_id
        if not owner.client.first_party:
            raise first_party_only(Rule.CLIENT_NOT_FIRST_PARTY, f"{owner.client.client_id} is not first-party")
        return owner
