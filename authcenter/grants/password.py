"""The password grant (RFC 6749 §4.3), for clients that were given it by name.

RFC 9700 §2.4 bans it. Whom an operator trusts with it is theirs to say; for clients of somebody else the doctor calls
it an error, and the JSON of ``/api/v1/auth`` takes first-party ones only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.accounts.both_steps import Presented, Proof
from authcenter.core.approval import Approval
from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.errors import unauthorized_client
from authcenter.core.ids import Subject
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets
from authcenter.tokens.pending_cuts import PendingCuts


class Steps(Protocol):
    """As ``BothSteps``."""

    async def by_password(self, presented: Presented, origin: RequestOrigin) -> User: ...

    async def by_second_factor(self, user: User, presented: Presented, origin: RequestOrigin) -> Proof: ...


@dataclass(frozen=True, slots=True)
class PasswordGranter(TokenGranter):
    """Trades a person's name and password for tokens; who has a second factor, proves that, too.

    A one-time code is spent as it is proved: whatever else may be wrong is looked at before.

    Attributes:
        on_use: Told of every use, so that the log can say that the grant is deprecated.
    """

    targets: GrantTargets
    steps: Steps
    cuts: PendingCuts
    on_use: Callable[[Client], None]

    @property
    def grant_type(self) -> str:
        return "password"

    async def approve(self, request: TokenRequest) -> Approval:
        client, form, origin = request.client, request.form, request.origin
        if client.relying_party.subject_type == "pairwise":
            failed("grant_type", came=self.grant_type, subject_type="pairwise")
            raise unauthorized_client(Rule.GRANT_NOT_PAIRWISE, f"{client.client_id} is pairwise")
        username, password = request.require("username"), request.require("password")
        asked = request.scope()
        self.on_use(client)
        presented = Presented(username, password, form.get("otp"), form.get("recovery_code"))
        target = await self.targets.of(form, asked, client, None)

        async def by_password(at: datetime) -> _Known:
            return _Known(client, await self.steps.by_password(presented, origin), at)

        known = await self.cuts.passed(request.at, by_password)
        proof = await self.steps.by_second_factor(known.user, presented, origin)
        scope = await self.targets.of_grant(target.scope, target.audience, proof.user)
        audience, issuer = target.audience, self.targets.issuer
        # As everywhere: what asked for `openid` is for userinfo, too, and for the account's own JSON.
        if OPENID in scope and issuer not in audience:
            audience = (*audience, issuer)
        return Approval(
            client=client,
            subject=known.subject,
            scope=scope,
            audience=audience,
            at=known.at,
            user=proof.user,
            sign_in={"auth_time": int(known.at.timestamp()), "acr": proof.acr, "amr": list(proof.amr)},
            refreshable=client.refreshable(scope),
            origin=origin,
        )


class _Known(Value, frozen=True):
    """Whose name and password were right, and when."""

    client: Client
    user: User
    at: datetime

    @property
    def subject(self) -> Subject:
        return self.user.subject
