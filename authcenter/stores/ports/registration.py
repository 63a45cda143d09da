"""Initial access tokens at rest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.digest import Digest
from authcenter.core.registration import InitialAccessToken


class InitialAccessTokens(Protocol):
    """Initial access tokens. There are few: operators make them."""

    async def add(self, token: InitialAccessToken, consequences: Consequences = NO_CONSEQUENCES) -> None:
        """Keep a new one; those that had lapsed when it was made go."""
        ...

    async def find(self, digest: Digest) -> InitialAccessToken | None: ...

    async def list_tokens(self) -> Sequence[InitialAccessToken]:
        """The oldest first."""
        ...

    async def spend(self, digest: Digest, at: datetime) -> bool:
        """Take one use; False where none is left or it has lapsed. Of many callers as many get True as had uses."""
        ...

    async def remove(self, token_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool: ...
