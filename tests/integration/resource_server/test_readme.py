"""The resource server of the README, run as it stands there."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service
from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port
from tests.servers.server import Server

_PROJECT = Path(__file__).parents[3]
_MARKED = re.compile(r"^<!-- orders\.py:[^\n]*-->\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ORDERS, _OTHER = "https://orders.example", "https://other.example"
_HANG_SECONDS = 90


class OrdersProcess(Server):
    """The program of the README."""

    def __init__(self, directory: Path, issuer: str) -> None:
        blocks = _MARKED.findall((_PROJECT / "README.md").read_text())
        assert len(blocks) == 1, "the README has exactly one block marked orders.py"
        program = directory / "orders.py"
        program.write_text(blocks[0])
        self.port = free_port()
        self.child = ChildProcess(
            name="orders",
            command=[sys.executable, str(program)],
            log=directory / "orders.log",
            environment={"ISSUER": issuer, "PORT": str(self.port), "PYTHONPATH": str(_PROJECT)},
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/orders", timeout=10).status_code == 401
        except requests.RequestException:
            return False

    def status(self, token: str, path: str = "/orders", method: str = "GET") -> int:
        """What a request with this token is answered."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=_HANG_SECONDS).status_code


@pytest.fixture(scope="module")
def shop(service: Service) -> Credentials:
    scopes = frozenset({"orders:read", "orders:refund"})
    return service.operator.client("shop", "client_credentials", scopes=scopes, audiences=[_ORDERS, _OTHER])


@pytest.fixture
def orders(service: Service, tmp_path: Path) -> Iterator[OrdersProcess]:
    with OrdersProcess(tmp_path, service.process.url) as started:
        yield started


def test_it_lets_in_who_brings_a_token_for_it_also_while_the_authorization_server_is_gone(
    service: Service, shop: Credentials, orders: OrdersProcess
) -> None:
    def token(**form: str) -> str:
        return str(service.api.issue(shop, **{"scope": "orders:read", "resource": _ORDERS, **form})["access_token"])

    read, refund, foreign = token(), token(scope="orders:read orders:refund"), token(resource=_OTHER)
    unscoped = token(scope="orders:refund")
    later = token()

    refused = requests.get(f"{orders.url}/orders", timeout=_HANG_SECONDS)
    metadata = f"{_ORDERS}/.well-known/oauth-protected-resource"
    assert refused.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{metadata}"'
    told = requests.get(f"{orders.url}/.well-known/oauth-protected-resource", timeout=_HANG_SECONDS).json()
    assert (told["resource"], told["authorization_servers"]) == (_ORDERS, [service.process.url])

    until(lambda: orders.status(read) != 503, "the keys are known")
    assert orders.status(read) == 200
    assert orders.status(foreign) == 401
    assert orders.status(unscoped) == 403
    assert orders.status(read, "/orders/7/refund", "POST") == 403
    assert orders.status(refund, "/orders/7/refund", "POST") == 200

    service.process.kill()
    assert orders.status(read) == 200
    assert orders.status(later) == 200  # seen for the first time
    assert orders.status(foreign) == 401
    service.process.start()
    assert orders.status(token()) == 200


def test_it_says_that_it_cannot_tell_as_long_as_nobody_has_told_it_any_key(
    service: Service, shop: Credentials, tmp_path: Path
) -> None:
    token = str(service.api.issue(shop, scope="orders:read", resource=_ORDERS)["access_token"])
    service.process.kill()
    with OrdersProcess(tmp_path, service.process.url) as orders:
        answer = requests.get(
            f"{orders.url}/orders", headers={"Authorization": f"Bearer {token}"}, timeout=_HANG_SECONDS
        )
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "WWW-Authenticate" not in answer.headers
        service.process.start()
