"""Keys of a test's Consul, written and read as anybody could."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

from tests.servers.consul import ConsulServer

POLICY = "authcenter/policy"


def write(server: ConsulServer, value: str, key: str = POLICY, token: str = "") -> None:
    _ask(server, "PUT", key, value.encode(), token)


def read(server: ConsulServer, key: str = POLICY, token: str = "") -> str | None:
    try:
        return _ask(server, "GET", f"{key}?raw", None, token).decode()
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return None


def remove(server: ConsulServer, key: str = POLICY) -> None:
    _ask(server, "DELETE", key, None, "")


def keys(server: ConsulServer, prefix: str) -> list[str]:
    listed: list[str] = json.loads(_ask(server, "GET", f"{prefix}?keys", None, ""))
    return listed


def settings(server: ConsulServer, token: str = "", prefix: str = "authcenter") -> Mapping[str, str]:
    """Of a process that has its policy in this Consul."""
    return {
        "AUTHCENTER_CONSUL_URL": server.url,
        "AUTHCENTER_CONSUL_TOKEN": token,
        "AUTHCENTER_CONSUL_PREFIX": prefix,
    }


def _ask(server: ConsulServer, method: str, key: str, value: bytes | None, token: str) -> bytes:
    headers = {"X-Consul-Token": token}
    request = urllib.request.Request(f"{server.url}/v1/kv/{key}", data=value, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
