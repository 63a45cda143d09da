"""Look-ups of revoked tokens: those of one event-loop tick go out as one MGET, four times what single ones yield."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.cluster import RedisCluster

from authcenter.core.digest import Digest
from authcenter.core.errors import SharedStateUnavailable
from authcenter.stores.ports.spread import Epoch
from authcenter.stores.redis.connection import RedisConnection

EPOCH = "revocations:epoch"
_ASKED_AT_ONCE = 1_000

_Asked = tuple[str, Epoch, "asyncio.Future[bool]"]


def revoked_key(digest: Digest, width: int) -> str:
    """The key of a revoked token by the first ``width`` bytes of its digest."""
    return f"revoked:{digest[:width].hex()}"


class CoalescedLookUps:
    """Asks for all that was asked for within one tick, and for the epoch with it."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._asked: list[_Asked] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def known(self, digest: Digest, epoch: Epoch) -> bool:
        """Whether the token's key is there. Raises ``SharedStateUnavailable``, also where the epoch is another."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._send)
        answer: asyncio.Future[bool] = loop.create_future()
        self._asked.append((revoked_key(digest, epoch.width), epoch, answer))
        return await answer

    def _send(self) -> None:
        asked, self._asked = self._asked, []
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            task = asyncio.create_task(self._ask(asked[start : start + _ASKED_AT_ONCE]))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _ask(self, asked: Sequence[_Asked]) -> None:
        keys = [EPOCH, *dict.fromkeys(key for key, _, _ in asked)]

        async def act(client: Any) -> list[Any]:
            found: list[Any] = await (
                client.mget_nonatomic(keys) if isinstance(client, RedisCluster) else client.mget(keys)
            )
            return found

        try:
            found = await self._connection.run(act)
            _answer(asked, dict(zip(keys, found, strict=True)))
        except SharedStateUnavailable as gone:
            _refuse(asked, gone.hint)
        finally:
            # Whatever became of this task, nobody may wait for it for ever.
            _refuse(asked, "redis: not asked to the end")


def _answer(asked: Sequence[_Asked], found: Mapping[str, bytes | None]) -> None:
    held = found[EPOCH]
    epoch = Epoch.parse(held.decode(errors="replace")) if held else None
    for key, expected, answer in asked:
        if epoch == expected and not answer.done():
            answer.set_result(found[key] is not None)
    _refuse(asked, "redis: not in the epoch that was followed")


def _refuse(asked: Sequence[_Asked], hint: str) -> None:
    for _, _, answer in asked:
        # Answered, or cancelled by whoever gave up.
        if not answer.done():
            answer.set_exception(SharedStateUnavailable(hint))
