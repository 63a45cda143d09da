"""The product as a child process: started, administered, killed and started again as a user would."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.authcenter import AuthcenterProcess, authcenter_cli

pytestmark = pytest.mark.long


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AuthcenterProcess]:
    with AuthcenterProcess(tmp_path / "one") as server:
        yield server


def issuer(server: AuthcenterProcess) -> str:
    with urllib.request.urlopen(f"{server.url}/.well-known/oauth-authorization-server", timeout=60) as answer:
        return json.load(answer)["issuer"]


def test_it_serves_and_ends_in_order(server: AuthcenterProcess) -> None:
    assert issuer(server) == server.url
    assert server.stop() in (0, -signal.SIGTERM)
    assert not server.answers()


def test_what_the_command_line_made_survives_a_kill(server: AuthcenterProcess) -> None:
    made = server.cli_json("clients", "create", "--id", "orders", "--grant", "client_credentials")
    assert made["client_id"] == "orders"
    server.kill()
    server.restart()
    assert [client["client_id"] for client in server.cli_json("clients", "list")] == ["orders"]


def test_a_sibling_shares_issuer_and_database(server: AuthcenterProcess, tmp_path: Path) -> None:
    server.cli_json("clients", "create", "--id", "orders", "--grant", "client_credentials")
    with server.sibling(tmp_path / "two") as sibling:
        assert issuer(sibling) == server.url
        assert sibling.cli_json("clients", "show", "orders")["client_id"] == "orders"


def test_wrong_usage_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    environment = AuthcenterProcess(tmp_path).environment
    done = authcenter_cli(environment, "clients", "create", "--no-such-option")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
