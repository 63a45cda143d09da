"""The tests' Redis: keeps its data over a kill, forgets it when told to, falls silent when frozen."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.redis import RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


def ask(server: RedisServer, command: str) -> str:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(100).decode()


def test_what_was_written_survives_a_kill(server: RedisServer) -> None:
    assert ask(server, "SET mark 7") == "+OK\r\n"
    server.kill()
    assert not server.answers()
    server.restart()
    assert ask(server, "GET mark") == "$1\r\n7\r\n"


def test_it_can_come_back_empty(server: RedisServer) -> None:
    ask(server, "SET mark 7")
    server.restart_empty()
    assert ask(server, "DBSIZE") == ":0\r\n"


def test_a_frozen_server_is_silent_until_it_is_thawed(server: RedisServer) -> None:
    server.freeze()
    assert not server.answers()
    server.thaw()
    assert server.answers()


def test_its_orderly_end_has_exit_code_zero(server: RedisServer) -> None:
    assert server.stop() == 0
