"""Initial access tokens in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.digest import Digest
from authcenter.core.registration import InitialAccessToken
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.registration import InitialAccessTokens


class MemoryInitialAccessTokens(InitialAccessTokens):
    """Initial access tokens of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, token: InitialAccessToken, consequences: Consequences = NO_CONSEQUENCES) -> None:
        def write(tables: Tables, _: datetime) -> bool:
            for digest, held in list(tables.initial_tokens.items()):
                if held.expires_at <= token.created_at:
                    del tables.initial_tokens[digest]
            tables.initial_tokens[token.digest] = token
            return True

        self._record.commit(write, consequences)

    async def find(self, digest: Digest) -> InitialAccessToken | None:
        return self._record.tables.initial_tokens.get(digest)

    async def list_tokens(self) -> Sequence[InitialAccessToken]:
        return sorted(self._record.tables.initial_tokens.values(), key=lambda token: (token.created_at, token.token_id))

    async def spend(self, digest: Digest, at: datetime) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.initial_tokens.get(digest)
            if held is None or held.uses_left < 1 or held.expires_at <= at:
                return False
            tables.initial_tokens[digest] = replace(held, uses_left=held.uses_left - 1)
            return True

        return self._record.commit(write)

    async def remove(self, token_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = next((one for one in tables.initial_tokens.values() if one.token_id == token_id), None)
            return held is not None and tables.initial_tokens.pop(held.digest) is held

        return self._record.commit(write, consequences)
