"""What uvloop calls a connection that was reset while nobody used it: a RuntimeError, which redis-py does not know.

Told as what it is, redis-py opens another and sends the command there, as it does under asyncio's own loop. Nothing has
been sent until then.
"""

from typing import Any

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError

_CLASS = "connection_class"


def telling_resets(client: Any) -> Any:
    """``client``, not connected yet, whose connections will tell that they were reset."""
    if isinstance(client, RedisCluster):
        kind = client.connection_kwargs[_CLASS] = _telling(client.connection_kwargs[_CLASS])
        for node in client.startup_nodes:
            node.connection_class = kind
    else:
        pool = client.connection_pool
        pool.connection_class = _telling(pool.connection_class)
    return client


def _telling(kind: type) -> type:
    return type(f"Telling{kind.__name__}", (_Telling, kind), {})


class _Telling:
    """Before one of redis-py's kinds of connection."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)  # type: ignore[misc]
        except RuntimeError as closed:
            raise RedisConnectionError(str(closed)) from closed
