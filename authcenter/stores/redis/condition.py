"""How a Redis is kept: asked of itself with INFO, TIME and, where that is allowed, CONFIG GET."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ResponseError

from authcenter.stores.ports.condition import ClockReading, RedisCondition
from authcenter.stores.redis.connection import RedisConnection

_EVICTION = "maxmemory_policy"
_HEALTHY = {"rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok"}


async def redis_conditions(connection: RedisConnection) -> Sequence[RedisCondition]:
    """Of the server, or of each primary of a cluster. Raises ``SharedStateUnavailable``."""
    return await connection.run(_all)


async def _all(client: Any) -> Sequence[RedisCondition]:
    if not isinstance(client, RedisCluster):
        return [await _one(client, "", {})]
    return [await _one(client, str(node.name), {"target_nodes": node}) for node in client.get_primaries()]


async def _one(client: Any, node: str, where: Mapping[str, Any]) -> RedisCondition:
    info = _flat(await client.info("everything", **where))
    saves = await _snapshots(client, where)
    return RedisCondition(
        node=node,
        clock=await _clock(client, where),
        eviction=str(info.get(_EVICTION, "")),
        most_bytes=int(info.get("maxmemory", 0)),
        appends=bool(int(info.get("aof_enabled", 0))),
        snapshots=saves,
        failing=", ".join(name for name, well in _HEALTHY.items() if info.get(name, well) != well),
    )


async def _snapshots(client: Any, where: Mapping[str, Any]) -> bool | None:
    try:
        found = _flat(await client.config_get("save", **where))
    except ResponseError:
        # Forbidden by an ACL, or unknown to a service that has no such command.
        return None
    return bool(found["save"]) if "save" in found else None


async def _clock(client: Any, where: Mapping[str, Any]) -> ClockReading:
    began = time.time()
    answer = await client.time(**where)
    ended = time.time()
    if isinstance(answer, Mapping):
        answer = next(iter(answer.values()))
    seconds, microseconds = answer
    return ClockReading(
        ahead=(began + ended) / 2 - (int(seconds) + int(microseconds) / 1_000_000),
        doubt=max(0.0, ended - began) / 2,
    )


def _flat(answer: Mapping[Any, Any]) -> Mapping[str, Any]:
    """One node's answer, which redis-py's cluster client may put under the node's name."""
    if len(answer) == 1 and isinstance(only := next(iter(answer.values())), Mapping):
        answer = only
    return {name.decode() if isinstance(name, bytes) else str(name): _text(value) for name, value in answer.items()}


def _text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
