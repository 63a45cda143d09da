"""Forward authentication: whether the holder of a token may pass a gateway.

What a gateway demands is the policy's; what a token is good for, the verifier's; revocations and their outages count
as they do in introspection.
"""

from collections.abc import Callable
from dataclasses import dataclass

from authcenter.core.checks import failed
from authcenter.core.clock import Clock
from authcenter.core.errors import ErrorCode, OAuthError, Reason, TokenRejected, insufficient_scope, invalid_token
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.core.value import Value
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy_sections import Gateway
from authcenter.stores.ports.clients import ClientLookup
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.verifier import AccessTokenVerifier

MOST_KEPT_SECONDS = 5
"""How long a gateway may go on with an answer: what a revocation is late by, at most, behind a cache of answers."""


class Admission(Value, frozen=True):
    """A token that opens the gateway.

    Attributes:
        keep_for: Whole seconds for which the gateway may go on with this answer; 0: it has to ask each time.
    """

    token: AccessToken
    keep_for: int


@dataclass(frozen=True, slots=True)
class GatewayGuard:
    """Answers the gateways. ``on_failure`` is told why a token does not hold."""

    verifier: AccessTokenVerifier
    revocations: Revocations
    lifetimes: TokenLifetimes
    clients: ClientLookup
    policy: LivePolicy
    clock: Clock
    on_failure: Callable[[Reason], None]

    def find(self, name: str) -> Gateway:
        """What the gateway of this name demands.

        Raises:
            OAuthError: 404: there is none. Not 401 or 403: the caller's token has no part in it, and gateways that
                know only those two make a failure of the server of it, which it is.
        """
        gateway = self.policy.current.gateways.get(name)
        if gateway is None:
            failed("gateway", came=name, known=" ".join(self.policy.current.gateways))
            description, hint = "There is no such gateway.", f"gateway {name!a:.80}"
            raise OAuthError(ErrorCode.NOT_FOUND, description, rule=Rule.GATEWAY_UNKNOWN, hint=hint, status=404)
        return gateway

    async def admit(self, gateway: Gateway, token: str) -> Admission:
        """Whether ``token`` opens ``gateway``.

        Raises:
            BearerRefused: 401: it does not hold here; 403: it lacks a scope.
            Unavailable: Cannot tell.
        """
        try:
            held = await self.verifier.read(token)
            _check_meant_for(gateway, held)
        except TokenRejected as rejected:
            self.on_failure(rejected.reason)
            raise invalid_token(rejected.reason, rejected.rule, rejected.hint) from rejected
        await self._require_known(held)
        if gateway.scopes and (lacking := [scope for scope in gateway.scopes if scope not in held.scopes]):
            failed("scope", expected=" ".join(gateway.scopes), lacking=" ".join(lacking))
            hint = f"{held.client_id} lacks {' '.join(lacking)}"
            raise insufficient_scope(Rule.TOKEN_SCOPE, " ".join(gateway.scopes), hint)
        return Admission(held, self._keep_for(held))

    async def _require_known(self, token: AccessToken) -> None:
        """The stricter of the policy and the token's client decides what an outage means."""
        staleness = self.policy.current.revocation.max_staleness
        if self.revocations.loaded and self.revocations.age <= staleness:
            return
        on_outage = self.lifetimes.on_outage(await self.clients.find(token.client_id))
        self.revocations.require_known(on_outage, staleness)

    def _keep_for(self, token: AccessToken) -> int:
        if self.policy.current.revocation.mode == "strict":
            # Redis is to be asked at every validation: a kept answer asks nobody.
            return 0
        left = token.expires_at - self.clock.seconds()
        return MOST_KEPT_SECONDS if left >= MOST_KEPT_SECONDS else max(0, int(left))


def _check_meant_for(gateway: Gateway, token: AccessToken) -> None:
    if gateway.audience not in token.audience:
        failed("audience", jti=token.jti, expected=gateway.audience, came=" ".join(token.audience))
        raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, f"for {token.audience!a:.200}")
    if "cnf" in token.claims:
        # RFC 9449 §7.1, RFC 8705 §3: whoever accepts it as a bearer token takes it from a thief.
        failed("binding", jti=token.jti, bound=True)
        raise TokenRejected(Reason.BINDING, Rule.TOKEN_BINDING, f"token {token.jti} is bound to a key")
