"""A Redis Cluster of the test's own: three primaries, each with a replica where a test wants one promoted."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import redis

from tests.servers.child_process import ServerStartError
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer

_SLOTS = 16_384
_PRIMARIES = 3
_START_SECONDS = 60
_POLL_SECONDS = 0.05
_NODE_TIMEOUT_MILLISECONDS = 1_000


class RedisCluster:
    """Nodes on 127.0.0.1 that share all slots. A context: started inside, stopped after."""

    def __init__(self, directory: Path, *, replicas: bool = False) -> None:
        """Args:
        directory: For data and logs; made when absent.
        replicas: Whether every primary has one, which takes its place within seconds.
        """
        nodes = 2 * _PRIMARIES if replicas else _PRIMARIES
        self._buses = [free_port() for _ in range(nodes)]
        self.nodes = [RedisServer(directory / str(bus), options=_options(bus, replicas)) for bus in self._buses]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def primary_of(self, key: str) -> RedisServer:
        """Where a key lies, as long as no replica has been promoted."""
        return self.nodes[self._place_of(key)]

    def replica_of(self, key: str) -> RedisServer:
        return self.nodes[_PRIMARIES + self._place_of(key)]

    def _place_of(self, key: str) -> int:
        with _client(self.nodes[0]) as client:
            slot: int = client.execute_command("CLUSTER KEYSLOT", key)
        return next(place for place in range(_PRIMARIES) if slot < _first_slot(place + 1))

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.start()
        clients = [_client(node) for node in self.nodes]
        for place, client in enumerate(clients[:_PRIMARIES]):
            client.execute_command("CLUSTER ADDSLOTSRANGE", _first_slot(place), _first_slot(place + 1) - 1)
        for node, bus in zip(self.nodes[1:], self._buses[1:], strict=True):
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", node.port, bus)
        _await(lambda: all(_whole(client, len(clients)) for client in clients), "the nodes did not find each other")
        for place, client in enumerate(clients[_PRIMARIES:]):
            client.execute_command("CLUSTER REPLICATE", clients[place].execute_command("CLUSTER MYID"))
        _await(lambda: all(map(in_step, clients[_PRIMARIES:])), "the replicas did not get in step")
        for client in clients:
            client.close()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.stop()


def in_step(replica: Any) -> bool:
    """Whether a replica has all that its primary has, and gets what comes."""
    return bool(replica.info("replication").get("master_link_status") == "up")


def _options(bus: int, replicas: bool) -> tuple[str, ...]:
    clustered = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    # A replica is good enough however long ago it has heard of its primary: machines that run tests stall.
    promoted = ("--cluster-node-timeout", str(_NODE_TIMEOUT_MILLISECONDS), "--cluster-replica-validity-factor", "0")
    return (*clustered, *promoted, "--repl-diskless-sync-delay", "0") if replicas else clustered


def _client(node: RedisServer) -> Any:
    return redis.Redis(port=node.port, decode_responses=True)


def _first_slot(place: int) -> int:
    return _SLOTS * place // _PRIMARIES


def _whole(client: Any, nodes: int) -> bool:
    told = client.execute_command("CLUSTER INFO")
    return bool(told.get("cluster_state") == "ok" and int(told.get("cluster_known_nodes")) == nodes)


def _await(holds: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise ServerStartError(f"the cluster: {problem}")
        time.sleep(_POLL_SECONDS)
