"""A Redis Cluster of the test's own: three primaries without replicas."""

import time
from pathlib import Path
from typing import Any, Self

import redis

from tests.servers.child_process import ServerStartError
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer

_SLOTS = 16_384
_NODES = 3
_START_SECONDS = 60
_POLL_SECONDS = 0.05


class RedisCluster:
    """Three nodes on 127.0.0.1 that share all slots. A context: started inside, stopped after."""

    def __init__(self, directory: Path) -> None:
        """Args:
        directory: For data and logs; made when absent.
        """
        self._buses = [free_port() for _ in range(_NODES)]
        self.nodes = [
            RedisServer(directory / str(bus), options=("--cluster-enabled", "yes", "--cluster-port", str(bus)))
            for bus in self._buses
        ]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.start()
        clients: list[Any] = [redis.Redis(port=node.port, decode_responses=True) for node in self.nodes]
        bounds = [_SLOTS * number // _NODES for number in range(_NODES + 1)]
        for client, first, end in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
        for node, bus in zip(self.nodes[1:], self._buses[1:], strict=True):
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", node.port, bus)
        deadline = time.monotonic() + _START_SECONDS
        while not all(_whole(client) for client in clients):
            if time.monotonic() > deadline:
                raise ServerStartError("the nodes of the cluster did not find each other")
            time.sleep(_POLL_SECONDS)
        for client in clients:
            client.close()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.stop()


def _whole(client: Any) -> bool:
    return bool(client.execute_command("CLUSTER INFO").get("cluster_state") == "ok")
