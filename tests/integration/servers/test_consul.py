"""The tests' Consul: keeps its keys over a kill, forgets them when told to, falls silent when frozen."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.consul import ConsulServer

TOKEN = "6a1253d2-1785-24fd-91c2-f8e78c745511"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ConsulServer]:
    with ConsulServer(tmp_path) as server:
        yield server


def put(server: ConsulServer, key: str, value: bytes, token: str = "") -> None:
    headers = {"X-Consul-Token": token}
    request = urllib.request.Request(f"{server.url}/v1/kv/{key}", data=value, method="PUT", headers=headers)
    urllib.request.urlopen(request, timeout=60).close()


def get(server: ConsulServer, key: str) -> bytes:
    with urllib.request.urlopen(f"{server.url}/v1/kv/{key}?raw", timeout=60) as answer:
        return answer.read()


def test_what_was_written_survives_a_kill(server: ConsulServer) -> None:
    put(server, "authcenter/policy", b"{}")
    server.kill()
    assert not server.answers()
    server.restart()
    assert get(server, "authcenter/policy") == b"{}"


def test_it_can_come_back_empty(server: ConsulServer) -> None:
    put(server, "authcenter/policy", b"{}")
    server.restart_empty()
    with pytest.raises(urllib.error.HTTPError, match="404") as refusal:
        get(server, "authcenter/policy")
    refusal.value.close()


def test_a_frozen_server_is_silent_until_it_is_thawed(server: ConsulServer) -> None:
    server.freeze()
    assert not server.answers()
    server.thaw()
    assert server.answers()


def test_with_a_token_nobody_else_writes(tmp_path: Path) -> None:
    with ConsulServer(tmp_path, acl_token=TOKEN) as server:
        put(server, "authcenter/policy", b"{}", TOKEN)
        with pytest.raises(urllib.error.HTTPError, match="403") as refusal:
            put(server, "authcenter/policy", b"{}")
        refusal.value.close()
