"""What an access token tells its client about the person behind it (OpenID Connect Core §5.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core.client import Client
from authcenter.core.token import TokenFamily
from authcenter.core.user import User
from authcenter.tokens.token_owners import TokenOwners


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Answers for access tokens whose audience this server itself is.

    Attributes:
        names_of: The claims that scope values ask for; ``claims_of``: those that a user has of them.
    """

    owners: TokenOwners
    names_of: Callable[[Iterable[str]], Iterable[str]]
    claims_of: Callable[[User, Iterable[str]], Mapping[str, Any]]

    async def of(self, token: str) -> tuple[Mapping[str, Any], Client]:
        """The claims, and the client they are for.

        Raises:
            TokenRejected: It does not hold, or is not for this endpoint.
            BearerRefused: It was issued without ``openid``.
            Unavailable: Cannot tell.
        """
        owner = await self.owners.of(token)
        asked = [*self.names_of(owner.token.scopes), *_asked_for(owner.family)]
        return {**self.claims_of(owner.user, asked), "sub": owner.token.subject}, owner.client


def _asked_for(family: TokenFamily | None) -> Iterable[str]:
    """The single claims of the ``claims`` parameter."""
    return (family.claims.get("userinfo") or {}) if family else ()
