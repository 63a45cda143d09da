"""Introspection (RFC 7662): active, inactive, or cannot tell.

'Cannot tell' is an exception (``Unavailable``, 503), never ``active: false``: that would turn a database's hiccup into
a fleet-wide logout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.core.value import Value
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.clients import ClientLookup
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.families import split as split_refresh_token
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.refusal import refresh_facts, refresh_refusal
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.verifier import AccessTokenVerifier


class Introspection(Value, frozen=True):
    """What a caller may learn of a token.

    Attributes:
        claims: The answer's members; None: inactive.
        rule, hint: Why it is inactive, for the operator only.
        reason: The same as the metrics' label, where a check of an access token refused it.
    """

    claims: Mapping[str, Any] | None
    rule: Rule | None = None
    hint: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Introspector:
    """Answers for access tokens of ours and for our refresh tokens."""

    verifier: AccessTokenVerifier
    families: TokenFamilies
    revocations: Revocations
    lifetimes: TokenLifetimes
    clients: ClientLookup
    policy: LivePolicy
    issuer: str
    clock: Clock

    async def introspect(self, token: str, caller: Client) -> Introspection:
        """What ``caller`` may learn of ``token``. The token's own form tells its kind; a hint could not tell better.

        Raises:
            Unavailable: Cannot tell.
        """
        if caller.public:
            failed("caller", public=True)
            return Introspection(None, Rule.CALLER_NOT_ENTITLED, f"{caller.client_id} is a public client")
        if split_refresh_token(token) is not None:
            return await self._refresh_token(token, caller)
        return await self._access_token(token, caller)

    async def _access_token(self, token: str, caller: Client) -> Introspection:
        try:
            held = await self.verifier.read(token)
        except TokenRejected as rejected:
            return Introspection(None, rejected.rule, rejected.hint, rejected.reason)
        if held.client_id != caller.client_id and caller.serves.isdisjoint(held.audience):
            failed("caller", audience=" ".join(held.audience), serves=" ".join(sorted(caller.serves)))
            return Introspection(None, Rule.CALLER_NOT_ENTITLED, f"{caller.client_id} is not in {held.audience}")
        await self._require_known(held, caller)
        return Introspection({"active": True, **held.claims, "token_type": "Bearer"})

    async def _require_known(self, token: AccessToken, caller: Client) -> None:
        """The stricter of the token's client and the caller decides what an outage means."""
        staleness = self.policy.current.revocation.max_staleness
        if self.revocations.loaded and self.revocations.age <= staleness:
            return
        on_outage = self.lifetimes.on_outage(caller)
        if token.client_id != caller.client_id:
            on_outage = self.lifetimes.on_outage(caller, await self.clients.find(token.client_id))
        self.revocations.require_known(on_outage, staleness)

    async def _refresh_token(self, token: str, caller: Client) -> Introspection:
        held = await self.families.find(token)
        if held is None:
            failed("refresh_token", known=False)
            return Introspection(None, Rule.REFRESH_UNKNOWN, "unknown")
        if held.family.client_id != caller.client_id:
            failed("refresh_client", expected=held.family.client_id, came=caller.client_id)
            return Introspection(None, Rule.REFRESH_FOREIGN, f"belongs to {held.family.client_id}")
        if refusal := refresh_refusal(held, caller, self.revocations.replica, self.clock.now()):
            failed("refresh_lifetime", **refresh_facts(held, self.clock.now()))
            return Introspection(None, refusal.rule, refusal.hint)
        family = held.family
        claims: dict[str, Any] = {
            "active": True,
            "iss": self.issuer,
            "sub": family.known_as or family.subject,
            "client_id": family.client_id,
            **({"scope": str(family.scope)} if family.scope else {}),
            "aud": list(family.audience),
            "iat": int(held.token.issued_at.timestamp()),
            "exp": int(held.token.expires_at.timestamp()),
            "fam": family.family_id,
        }
        return Introspection(claims)
