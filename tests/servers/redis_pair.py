"""A Redis, its replica, and a Sentinel that puts the one in the other's place."""

import time
from pathlib import Path
from typing import Any, Self

import redis

from tests.servers.child_process import ChildProcess, ServerStartError
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer, redis_program

_SERVICE = "main"
_START_SECONDS = 60
_POLL_SECONDS = 0.05
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
sentinel monitor {service} 127.0.0.1 {master} 1
sentinel down-after-milliseconds {service} 1000
sentinel failover-timeout {service} 5000
"""


class RedisPair:
    """A master that may be killed: its replica is promoted within seconds. A context: started inside, stopped after."""

    def __init__(self, directory: Path) -> None:
        """Args:
        directory: For data, configuration and logs; made when absent.
        """
        self._port = free_port()
        self.master = RedisServer(directory / "master", options=("--repl-diskless-sync-delay", "0"))
        replicating = ("--replicaof", "127.0.0.1", str(self.master.port))
        self.replica = RedisServer(directory / "replica", options=replicating)
        self._configuration = directory / "sentinel.conf"
        self._sentinel = ChildProcess(
            name="redis-sentinel",
            command=[redis_program(), self._configuration, "--sentinel"],
            log=directory / "sentinel.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._port}/{_SERVICE}"

    def __enter__(self) -> Self:
        self.master.start()
        self.replica.start()
        # Sentinel writes its state into its own configuration.
        configuration = _CONFIGURATION.format(port=self._port, service=_SERVICE, master=self.master.port)
        self._configuration.write_text(configuration)
        self._sentinel.start(self._watches)
        deadline = time.monotonic() + _START_SECONDS
        while not self._in_step():
            if time.monotonic() > deadline:
                raise ServerStartError("the Sentinel does not know of a replica that is in step")
            time.sleep(_POLL_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._sentinel.stop()
        self.replica.stop()
        self.master.stop()

    def _watches(self) -> bool:
        try:
            return bool(self._ask("PING"))
        except redis.ConnectionError:
            return False

    def _in_step(self) -> bool:
        with redis.Redis(port=self.replica.port, decode_responses=True) as client:
            told: Any = client.info("replication")
        known = self._ask("SENTINEL REPLICAS", _SERVICE)
        return told.get("master_link_status") == "up" and bool(known) and known[0]["flags"] == "slave"

    def _ask(self, *command: str) -> Any:
        with redis.Redis(port=self._port, decode_responses=True) as client:
            return client.execute_command(*command)
