"""The password grant (RFC 6749 §4.3), for first-party clients that opted in; RFC 9700 §2.4 bans it for all others."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.accounts.both_steps import Presented, Proof
from authcenter.core.approval import Approval
from authcenter.core.client import Client
from authcenter.core.origin import RequestOrigin
from authcenter.core.scope import OPENID
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets, refreshable


@dataclass(frozen=True, slots=True)
class PasswordGranter(TokenGranter):
    """Trades a person's name and password for tokens; who has a second factor, proves that, too.

    Attributes:
        authenticate: As ``BothSteps.authenticate``.
        on_use: Told of every use, so that the log can say that the grant is deprecated.
    """

    targets: GrantTargets
    authenticate: Callable[[Presented, RequestOrigin], Awaitable[Proof]]
    on_use: Callable[[Client], None]

    @property
    def grant_type(self) -> str:
        return "password"

    async def approve(self, request: TokenRequest) -> Approval:
        username, password = request.require("username"), request.require("password")
        asked = request.scope()
        self.on_use(request.client)
        form = request.form
        presented = Presented(username, password, form.get("otp"), form.get("recovery_code"))
        proof = await self.authenticate(presented, request.origin)
        user = proof.user
        target = await self.targets.of(request.form, asked, request.client, user)
        audience, issuer = target.audience, self.targets.issuer
        # As everywhere: what asked for `openid` is for userinfo, too, and for the account's own JSON.
        if OPENID in target.scope and issuer not in audience:
            audience = (*audience, issuer)
        return Approval(
            client=request.client,
            subject=user.subject,
            scope=target.scope,
            audience=audience,
            at=request.at,
            user=user,
            sign_in={"auth_time": int(request.at.timestamp()), "acr": proof.acr, "amr": list(proof.amr)},
            refreshable=refreshable(request.client, target.scope),
            origin=request.origin,
        )
