"""Initial access tokens (RFC 7591 §3): made and taken back by operators, spent by who registers."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.errors import NotFound
from authcenter.core.event import Event, EventKind
from authcenter.core.registration import INITIAL_TOKEN_PREFIX, InitialAccessToken
from authcenter.core.secret import Secret
from authcenter.stores.ports.registration import InitialAccessTokens

_BYTES = 32
_ID_BYTES = 9


@dataclass(frozen=True, slots=True)
class InitialTokenRegistry:
    """What operators do to initial access tokens, each act with its audit event, and what spends them."""

    store: InitialAccessTokens
    clock: Clock

    async def create(self, lifetime: timedelta, uses: int, actor: str) -> tuple[InitialAccessToken, Secret]:
        """Make one; what it is told by is told this once. ``uses``: how many clients may be registered with it."""
        text, now = INITIAL_TOKEN_PREFIX + secrets.token_urlsafe(_BYTES), self.clock.now()
        token = InitialAccessToken(
            token_id=secrets.token_urlsafe(_ID_BYTES),
            digest=_digest(text),
            created_at=now,
            created_by=actor,
            expires_at=now + lifetime,
            uses_left=uses,
        )
        context = {"token_id": token.token_id, "uses": uses, "expires_at": token.expires_at.isoformat()}
        made = Event(EventKind.INITIAL_TOKEN_CREATED, actor, context=context)
        await self.store.add(token, Consequences(events=(made,)))
        return token, Secret(text)

    async def list(self) -> Sequence[InitialAccessToken]:
        return await self.store.list_tokens()

    async def revoke(self, token_id: str, actor: str) -> None:
        """Let nobody register with it any more. Raises ``NotFound``."""
        gone = Event(EventKind.INITIAL_TOKEN_REVOKED, actor, context={"token_id": token_id})
        if not await self.store.remove(token_id, Consequences(events=(gone,))):
            raise NotFound(f"no initial access token {token_id!a:.80}")

    async def find(self, text: str) -> InitialAccessToken | None:
        """The live one that ``text`` is, without spending it."""
        token = await self.store.find(_digest(text))
        live = token is not None and token.uses_left > 0 and token.expires_at > self.clock.now()
        return token if live else None

    async def spend(self, token: InitialAccessToken) -> bool:
        """Take one use; False where others took the last one meanwhile."""
        return await self.store.spend(token.digest, self.clock.now())


def _digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode(errors="replace")).digest())
