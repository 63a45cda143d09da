"""What an access token tells its client about the person behind it (OpenID Connect Core §5.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core.client import Client
from authcenter.core.errors import Reason, TokenRejected, insufficient_scope
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID
from authcenter.core.token import AccessToken, TokenFamily
from authcenter.core.user import User
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ClientLookup
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.verifier import AccessTokenVerifier


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Answers for access tokens whose audience this server itself is.

    Attributes:
        users: The record itself: who has just been disabled is told nothing of.
        names_of: The claims that scope values ask for; ``claims_of``: those that a user has of them.
    """

    verifier: AccessTokenVerifier
    families: TokenFamilies
    users: UserLookup
    clients: ClientLookup
    issuer: str
    names_of: Callable[[Iterable[str]], Iterable[str]]
    claims_of: Callable[[User, Iterable[str]], Mapping[str, Any]]

    async def of(self, token: str) -> tuple[Mapping[str, Any], Client]:
        """The claims, and the client they are for.

        Raises:
            TokenRejected: It does not hold, or is not for this endpoint.
            BearerRefused: It was issued without ``openid``.
            Unavailable: Cannot tell.
        """
        held = await self.verifier.read(token)
        if self.issuer not in held.audience:
            raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, f"for {held.audience}, not {self.issuer}")
        if OPENID not in held.scopes:
            raise insufficient_scope(Rule.TOKEN_SCOPE, OPENID, f"token {held.jti} without {OPENID}")
        client = await self._client(held)
        family = await self.families.find_family(held.family)
        user = await self._user(family.subject if family else held.subject, held)
        asked = [*self.names_of(held.scopes), *_asked_for(family)]
        return {**self.claims_of(user, asked), "sub": held.subject}, client

    async def _client(self, held: AccessToken) -> Client:
        client = await self.clients.find(held.client_id)
        if client is None or client.disabled_at is not None:
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, f"the client {held.client_id} is gone or disabled")
        return client

    async def _user(self, subject: str, held: AccessToken) -> User:
        user = await self.users.find(subject) if subject.startswith(SUBJECT_PREFIX) else None
        if user is None or user.disabled_at is not None:
            hint = f"{subject} is no person, or disabled; token {held.jti}"
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, hint)
        return user


def _asked_for(family: TokenFamily | None) -> Iterable[str]:
    """The single claims of the ``claims`` parameter."""
    return (family.claims.get("userinfo") or {}) if family else ()
