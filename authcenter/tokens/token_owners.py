"""Whose an access token is that this server itself serves: the person, past a pairwise ``sub``, and the client."""

from dataclasses import dataclass

from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.errors import Reason, TokenRejected, insufficient_scope
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID
from authcenter.core.token import AccessToken, TokenFamily
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ClientLookup
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.verifier import AccessTokenVerifier


class TokenOwner(Value, frozen=True):
    """An access token that holds, and whose it is.

    Attributes:
        family: What the token comes from; None: a grant that keeps none.
    """

    token: AccessToken
    user: User
    client: Client
    family: TokenFamily | None


@dataclass(frozen=True, slots=True)
class TokenOwners:
    """Reads access tokens whose audience is this server.

    Attributes:
        users: The record itself: who has just been disabled is told nothing.
    """

    verifier: AccessTokenVerifier
    families: TokenFamilies
    users: UserLookup
    clients: ClientLookup
    issuer: str

    async def of(self, token: str) -> TokenOwner:
        """Whose ``token`` is.

        Raises:
            TokenRejected: It does not hold, is not for this server, or its client or person is gone or disabled.
            BearerRefused: It was issued without ``openid``.
            Unavailable: Cannot tell.
        """
        held = await self.verifier.read(token)
        if self.issuer not in held.audience:
            failed("audience", jti=held.jti, expected=self.issuer, came=" ".join(held.audience))
            raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, f"for {held.audience}, not {self.issuer}")
        if OPENID not in held.scopes:
            failed("scope", jti=held.jti, expected=OPENID, came=" ".join(sorted(held.scopes)))
            raise insufficient_scope(Rule.TOKEN_SCOPE, OPENID, f"token {held.jti} without {OPENID}")
        client = await self._client(held)
        family = await self.families.find_family(held.family)
        user = await self._user(family.subject if family else held.subject, held)
        return TokenOwner(held, user, client, family)

    async def _client(self, held: AccessToken) -> Client:
        client = await self.clients.find(held.client_id)
        if client is None or client.disabled_at is not None:
            failed("client", jti=held.jti, client_id=held.client_id, known=client is not None)
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, f"the client {held.client_id} is gone or disabled")
        return client

    async def _user(self, subject: str, held: AccessToken) -> User:
        user = await self.users.find(subject) if subject.startswith(SUBJECT_PREFIX) else None
        if user is None or user.disabled_at is not None:
            hint = f"{subject} is no person, or disabled; token {held.jti}"
            failed("user", jti=held.jti, subject=subject, exists=user is not None)
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, hint)
        return user
