"""``CompositeTokenGranter``: the steps that all grants share, in their order.

Authenticate the client; has it asked too often; may it use this grant; ``approve``; sign, then spend.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from authcenter.clients.authentication import ClientAuthentication, PresentedClient
from authcenter.clients.quota import TokenQuota
from authcenter.core.approval import Approval, PresentedCode, PresentedDeviceCode, PresentedRefreshToken
from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import ErrorCode, OAuthError, unauthorized_client
from authcenter.core.form import Form
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.token import TokenSet
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.tokens.pending_cuts import PendingCuts
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.service import TokenService


class CompositeTokenGranter:
    """Serves every grant type by its strategy.

    Attributes:
        strategies: Granters by the ``grant_type`` they serve; the first of two for one type counts.
    """

    def __init__(
        self,
        strategies: Iterable[TokenGranter],
        authentication: ClientAuthentication,
        quota: TokenQuota,
        tokens: TokenService,
        revocations: Revocations,
        clock: Clock,
    ) -> None:
        self.strategies: Mapping[str, TokenGranter] = {
            granter.grant_type: granter for granter in reversed(list(strategies))
        }
        self._authentication, self._quota, self._tokens = authentication, quota, tokens
        self._cuts, self._clock = PendingCuts(revocations, clock), clock

    async def serve(self, form: Form, presented: PresentedClient, origin: RequestOrigin) -> TokenSet:
        """Answer a token request.

        Raises:
            OAuthError: It is refused (``RateLimited``: too often); nothing was issued or spent.
            Unavailable: Cannot tell.
        """
        grant_type = form.require("grant_type")

        async def approve(at: datetime) -> Approval:
            return await self._approve(grant_type, form, presented, origin, at)

        approval = await self._cuts.passed(self._clock.now(), approve)
        match approval.spends:
            case PresentedRefreshToken():
                return await self._tokens.refresh_access_token(approval, approval.spends)
            case PresentedCode():
                return await self._tokens.redeem_code(approval, approval.spends.code)
            case PresentedDeviceCode():
                return await self._tokens.redeem_device_code(approval, approval.spends.device)
            case None:
                return await self._tokens.create_access_token(approval)

    async def _approve(
        self, grant_type: str, form: Form, presented: PresentedClient, origin: RequestOrigin, at: datetime
    ) -> Approval:
        client = await self._authentication.authenticate(presented, origin.ip)
        self._quota.take(presented, origin.ip)
        strategy = self._strategy(grant_type, client)
        return await strategy.approve(TokenRequest(client, form, at, origin))

    def _strategy(self, grant_type: str, client: Client) -> TokenGranter:
        strategy = self.strategies.get(grant_type)
        if strategy is None:
            failed("grant_type", came=grant_type)
            code, description = ErrorCode.UNSUPPORTED_GRANT_TYPE, "The grant type is not supported."
            raise OAuthError(code, description, rule=Rule.GRANT_TYPE_UNKNOWN, hint=f"{grant_type!a:.80}")
        if grant_type not in client.grants:
            failed("grant_type", came=grant_type, allowed=" ".join(sorted(client.grants)))
            raise unauthorized_client(Rule.GRANT_NOT_ALLOWED, f"{client.client_id} asked for {grant_type}")
        passed("grant_type", grant_type=grant_type)
        return strategy
