"""Ports of this machine that no other test process will take, now or after a restart of the server on them."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

# Below the range from which kernels draw the ports of outgoing connections: such a connection of some other
# program must not sit on a server's port while a test has that server down.
_RANGE = range(20_000, 30_000)

# Open files, for the locks on them: the kernel drops them with the process, so that a killed one holds none.
_held: list[IO[str]] = []


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens; it stays this test process's own until that ends.

    Raises:
        OSError: None of the range is free.
    """
    directory = Path(tempfile.gettempdir()) / f"authcenter-test-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    for port in random.sample(_RANGE, len(_RANGE)):
        lock = (directory / str(port)).open("w")
        if _locked(lock) and _binds(port):
            _held.append(lock)
            return port
        lock.close()
    raise OSError(f"no free port from {_RANGE.start} to {_RANGE.stop - 1}")


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _binds(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port on which only closed connections linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
