"""Ten key rotations under load, seen by all kinds of verifiers at once: no good token is refused anywhere."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from authcenter.jose.algorithms import Alg
from tests.integration.gateways.behind import API, POLICY
from tests.integration.gateways.conftest import authcenter_in
from tests.integration.gateways.sdk_server import COOLDOWN_SECONDS
from tests.integration.service.api import until
from tests.integration.service.running import Service, serving
from tests.servers.child_process import ChildProcess
from tests.servers.echo import EchoApi
from tests.servers.http_probe import speaks_http
from tests.servers.nginx import NginxServer
from tests.servers.ports import free_port
from tests.servers.server import Server

pytestmark = pytest.mark.long

_ROTATIONS = 10
_CLIENTS = 3
_BETWEEN_TOKENS = 0.1  # all of them stay well below the rate limit of the one client
_MAX_AGE = 1
_ANNOUNCED_FOR = timedelta(seconds=15)
_BETWEEN_ANNOUNCEMENTS = 1.5
_REFRESHED_AFTER = 200.0  # what the SDK asks for in the background, at the most
_HANG_SECONDS = 90.0


class SdkProcess(Server):
    """A resource server with the SDK."""

    def __init__(self, directory: Path, issuer: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.integration.gateways.sdk_server", issuer, API, str(self.port)]
        project = Path(__file__).parents[3]
        self.child = ChildProcess("sdk", command, directory / f"sdk-{self.port}.log", directory=project)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return speaks_http(self.port)

    def fetches(self) -> float:
        """How often it has asked for the keys."""
        text = requests.get(f"{self.url}/metrics", timeout=_HANG_SECONDS).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "authcenter_jwks_cache_requests_total"
            and sample.labels["outcome"] in {"fetched", "unchanged", "failed"}
        )


@dataclass
class ByLifetime:
    """A verifier that takes the keys for as long as ``Cache-Control`` says, and never looks for one before that."""

    issuer: str
    keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    until: float = 0.0

    def check(self, token: str) -> None:
        if time.monotonic() >= self.until:
            asked_at = time.monotonic()
            answer = requests.get(f"{self.issuer}/.well-known/jwks.json", timeout=_HANG_SECONDS)
            assert answer.headers["Cache-Control"] == f"public, max-age={_MAX_AGE}"
            self.keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(answer.json()).keys}
            self.until = asked_at + _MAX_AGE
        key = self.keys[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(token, key, ["ES256"], audience=API, issuer=self.issuer)


class ByPyJwkClient:
    """What PyJWT brings along: keys kept for a while, and looked for where one is not known."""

    def __init__(self, issuer: str) -> None:
        url = f"{issuer}/.well-known/jwks.json"
        # Left alone it would not look again for 30 s, and refuse what a key signs that nobody was told of beforehand.
        self.client = jwt.PyJWKClient(url, timeout=_HANG_SECONDS, cooldown_duration=0)
        self.issuer = issuer

    def check(self, token: str) -> None:
        key = self.client.get_signing_key_from_jwt(token)
        jwt.decode(token, key, ["ES256"], audience=API, issuer=self.issuer)


class Load:
    """Fetches tokens without end and shows each to everybody: any refusal ends it with an error."""

    def __init__(self, service: Service, urls: list[str], plain: ByLifetime | ByPyJwkClient) -> None:
        self.client = service.operator.client(
            f"load-{uuid4().hex[:8]}", "client_credentials", audiences=[API], scopes=["read"]
        )
        self.url, self.urls, self.plain = f"{service.api.url}/oauth/token", urls, plain
        self.kids: list[str] = []
        self.over = False
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        form = {"grant_type": "client_credentials", **self.client.form()}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_HANG_SECONDS)) as session:
            while not self.over:
                async with session.post(self.url, data=form) as answer:
                    assert answer.status == 200, await answer.text()
                    token = (await answer.json(content_type=None))["access_token"]
                for url in self.urls:
                    async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
                        assert answer.status == 200, (url, answer.status, await answer.text())
                async with self._one_at_a_time:
                    await asyncio.to_thread(self.plain.check, token)
                kid = jwt.get_unverified_header(token)["kid"]
                self.kids += [kid] if kid not in self.kids else []
                await asyncio.sleep(_BETWEEN_TOKENS)


@pytest.fixture(scope="module")
def rotating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    process = authcenter_in(tmp_path_factory.mktemp("rotating"))
    process.policy_file.write_text(f"{POLICY}jwks: {{max_age: {_MAX_AGE}}}\n")
    yield from serving(process)


@pytest.fixture
def nginx(rotating: Service, echo: EchoApi, tmp_path: Path) -> Iterator[NginxServer]:
    address = f"127.0.0.1:{rotating.process.port}"
    with NginxServer(tmp_path / "nginx", authcenter=address, api=echo.address) as server:
        yield server


@pytest.fixture
def sdk(rotating: Service, tmp_path: Path) -> Iterator[list[SdkProcess]]:
    """Two processes, whose keys are there."""
    with ExitStack() as stack:
        servers = [stack.enter_context(SdkProcess(tmp_path, rotating.api.issuer)) for _ in range(2)]
        for server in servers:
            until(lambda server=server: server.fetches() > 0, "the keys have been fetched")
        yield servers


async def at_once(service: Service, load: Load, ended: Callable[[], Any]) -> None:
    """As ``authcenter keys rotate --now``: the first that is seen of a key is a token that it has signed."""
    for _ in range(_ROTATIONS):
        kid = await asyncio.to_thread(_rotate, service, timedelta(0))
        await _eventually(lambda kid=kid: kid in load.kids, ended)
        # The cool-down began when the fetch ended, which was before a token of the new key held.
        await asyncio.sleep(COOLDOWN_SECONDS * 2)


async def announced(service: Service, load: Load, ended: Callable[[], Any]) -> None:
    """As ``authcenter keys rotate``: each key is published long before it signs, compared with ``jwks.max_age``."""
    kid = ""
    for _ in range(_ROTATIONS):
        kid = await asyncio.to_thread(_rotate, service, _ANNOUNCED_FOR)
        await asyncio.sleep(_BETWEEN_ANNOUNCEMENTS)
    await _eventually(lambda: kid in load.kids, ended)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("rotate", "plain"),
    [pytest.param(at_once, ByPyJwkClient, id="at once"), pytest.param(announced, ByLifetime, id="announced")],
)
async def test_ten_rotations_refuse_no_good_token_at_any_verifier(
    rotating: Service,
    sdk: list[SdkProcess],
    nginx: NginxServer,
    rotate: Callable[[Service, Load, Callable[[], Any]], Awaitable[None]],
    plain: Callable[[str], ByLifetime | ByPyJwkClient],
) -> None:
    began, fetched = time.monotonic(), [server.fetches() for server in sdk]
    urls = [f"{server.url}/orders" for server in (*sdk, nginx)]
    load = Load(rotating, urls, plain(rotating.api.issuer))
    async with _running(load) as ended:
        await _eventually(lambda: load.kids, ended)
        await rotate(rotating, load, ended)
    in_background = (time.monotonic() - began) // _REFRESHED_AFTER
    for server, before in zip(sdk, fetched, strict=True):
        assert server.fetches() - before <= _ROTATIONS + in_background


@asynccontextmanager
async def _running(load: Load) -> AsyncIterator[Callable[[], list[BaseException | None]]]:
    """The load while the block runs; gives what tells whether a part of it has ended, and why."""
    tasks = [asyncio.create_task(load.run()) for _ in range(_CLIENTS)]
    try:
        yield lambda: [task.exception() for task in tasks if task.done()]
    finally:
        load.over = True
        await asyncio.gather(*tasks)


async def _eventually(holds: Callable[[], object], ended: Callable[[], Any]) -> None:
    limit = time.monotonic() + _HANG_SECONDS
    while not holds():
        assert not ended(), ended()
        assert time.monotonic() < limit, "no token of the newest key"
        await asyncio.sleep(0.05)


def _rotate(service: Service, published_for: timedelta) -> str:
    return str(service.operator.act(lambda core: core.rotation.rotate(Alg.ES256, published_for, "test")).kid)
