"""What several workers do not start on: said once, in one line."""

import socket
from pathlib import Path

import pytest

from tests.integration.workers.crew import several
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer


def test_without_redis_there_is_one_worker(directory: Path, redis_server: RedisServer) -> None:
    done = several(directory, redis_server, AUTHCENTER_REDIS_URL="").cli("serve")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "authcenter: AUTHCENTER_WORKERS: more than one worker needs AUTHCENTER_REDIS_URL (got 4)"
    ]


@pytest.mark.parametrize("taken", ["PORT", "OPS_PORT"])
def test_a_port_that_is_taken_is_one_line(directory: Path, redis_server: RedisServer, taken: str) -> None:
    process = several(directory, redis_server)
    with socket.create_server(("127.0.0.1", int(process.environment[f"AUTHCENTER_{taken}"]))):
        done = process.cli("serve")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "address already in use" in done.stderr


def test_a_policy_that_does_not_validate_is_named_once(directory: Path, redis_server: RedisServer) -> None:
    process = several(directory, redis_server)
    process.policy_file.write_text("tokens: {access_ttl: 1}")
    done = process.cli("serve")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "tokens.access_ttl" in done.stderr


def test_where_no_worker_ever_comes_up_it_gives_up(directory: Path, redis_server: RedisServer) -> None:
    # There is nothing to make the demo's client in.
    nowhere = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"
    process = several(directory, redis_server, 2, AUTHCENTER_DATABASE_URL=nowhere)
    done = process.cli("serve", "--workers", "3", "--demo")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "authcenter: no worker came up; what they said is above"
    assert done.stderr.count('"worker_started"') == 3
    assert "Traceback" not in done.stderr
