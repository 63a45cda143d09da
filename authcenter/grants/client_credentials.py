"""The client credentials grant (RFC 6749 §4.4): a client's token of its own, without a refresh token (§4.4.3)."""

from dataclasses import dataclass

from authcenter.core.approval import Approval
from authcenter.core.checks import failed
from authcenter.core.errors import unauthorized_client
from authcenter.core.ids import Subject
from authcenter.core.rules import Rule
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets


@dataclass(frozen=True, slots=True)
class ClientCredentialsGranter(TokenGranter):
    """Grants a confidential client what it is registered for. Writes nothing, and in steady state reads nothing."""

    targets: GrantTargets

    @property
    def grant_type(self) -> str:
        return "client_credentials"

    async def approve(self, request: TokenRequest) -> Approval:
        client = request.client
        if client.public:
            failed("grant_type", came=self.grant_type, public=True)
            raise unauthorized_client(Rule.GRANT_NEEDS_CONFIDENTIAL_CLIENT, f"{client.client_id} is public")
        target = await self.targets.of(request.form, request.scope(), client, None)
        return Approval(
            client=client,
            subject=Subject(client.client_id),
            scope=target.scope,
            audience=target.audience,
            at=request.at,
            origin=request.origin,
        )
