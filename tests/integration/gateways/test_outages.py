"""authcenter is killed, hangs and comes back, while callers ask the gateway: nobody passes unasked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateways.behind import API, Front
from tests.integration.gateways.conftest import GATEWAYS, authcenter_in
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, serving
from tests.servers.echo import EchoApi
from tests.servers.haproxy import HaproxyServer

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An authcenter that may be killed."""
    yield from serving(authcenter_in(tmp_path_factory.mktemp("mortal")))


@pytest.fixture(scope="module")
def buyer(mortal: Service) -> Credentials:
    return mortal.operator.client("buyer", "client_credentials", audiences=[API], scopes=["read"])


@pytest.fixture
def gate(kind: str, mortal: Service, echo: EchoApi, tmp_path: Path) -> Iterator[Front]:
    address = f"127.0.0.1:{mortal.process.port}"
    with GATEWAYS[kind](tmp_path / kind, authcenter=address, api=echo.address, patience_ms=300) as server:
        yield Front(server)


@pytest.mark.parametrize("blow", ["kill", "freeze"])
def test_while_authcenter_is_gone_nobody_passes(gate: Front, mortal: Service, buyer: Credentials, blow: str) -> None:
    known, unseen = (str(mortal.api.issue(buyer)["access_token"]) for _ in range(2))
    # Waited for, here and below: this gateway is impatient, and the machine may be busy.
    until(lambda: gate.status(known) == 200, "it passes")
    getattr(mortal.process, blow)()
    try:
        refused = gate.ask(unseen)
        assert (refused.status, refused.api) == (503, None)
        assert refused.headers["retry-after"] == "5"
        # What NGINX has kept is good for some seconds more, and then for nothing.
        until(lambda: gate.status(known) == 503, "the answer from before has lapsed")
        for token in (known, unseen, None, "x"):
            seen = gate.ask(token, headers=[("X-Auth-Subject", "forged")])
            assert (seen.status, seen.api) == (503, None)
    finally:
        if blow == "kill":
            mortal.process.start()
        else:
            mortal.process.thaw()
    until(lambda: gate.status(unseen) == 200, "it is asked again")
    until(lambda: gate.status(known) == 200, "of every token")


BROKEN = [
    pytest.param({"strip(txn, headers)\n  local answer": 'error("broken")\n  local answer'}, id="it fails"),
    pytest.param({"core.httpclient()": "core.no_such_client()"}, id="it calls what is not there"),
    pytest.param({"txn:done(reply)": "txn:no_such(reply)"}, id="it cannot refuse"),
]


@pytest.mark.parametrize("changes", BROKEN)
def test_a_script_that_fails_lets_nobody_pass(
    mortal: Service, echo: EchoApi, tmp_path: Path, changes: dict[str, str]
) -> None:
    address = f"127.0.0.1:{mortal.process.port}"
    with HaproxyServer(tmp_path, authcenter=address, api=echo.address, script_changes=changes) as server:
        for _ in range(3):
            seen = Front(server).ask("x", headers=[("X-Auth-Subject", "forged")])
            assert (seen.status, seen.api) == (503, None)
