"""Keys of a real authorization server: rotated under load, asked for by a storm, and while it is gone."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from authcenter.core.errors import Reason, TokenRejected
from authcenter.jose.algorithms import Alg
from authcenter.sdk.verification import KeysUnavailable
from authcenter.stores.ports.keys import StoredKey
from tests.forgery import forged
from tests.integration.sdk.resource_server import ResourceServer, eventually, resource_server, verifies
from tests.integration.service.api import Api, Credentials
from tests.integration.service.record import Operator
from tests.integration.service.running import Service
from tests.servers.authcenter import AuthcenterProcess
from tests.unit.sdk.published import signing_key

pytestmark = pytest.mark.long

API = "https://keys.sdk.example"
_ROTATIONS = 10
_CLIENTS = 3
_BETWEEN_TOKENS = 0.1  # all of them stay well below the rate limit of the one client
_COOLDOWN = 0.3
_STORM = 500


class Load:
    """Fetches tokens without end and has every resource server check each: any refusal ends it with an error."""

    def __init__(self, service: Service, client: Credentials, servers: list[ResourceServer]) -> None:
        self.url, self.client, self.servers = f"{service.api.url}/oauth/token", client, servers
        self.kids: list[str] = []
        self.over = False

    async def run(self) -> None:
        form = {"grant_type": "client_credentials", **self.client.form()}
        async with aiohttp.ClientSession() as session:
            while not self.over:
                async with session.post(self.url, data=form) as answer:
                    assert answer.status == 200, await answer.text()
                    token = (await answer.json(content_type=None))["access_token"]
                held = [await server.verifier.verify(token) for server in self.servers]
                self.kids += [held[0].kid] if held[0].kid not in self.kids else []
                await asyncio.sleep(_BETWEEN_TOKENS)


@pytest.mark.timeout(600)
async def test_ten_rotations_under_load_refuse_nobody_and_cost_a_fetch_each(service: Service) -> None:
    client = service.operator.client("sdk-load", "client_credentials", audiences=[API], scopes=["read"])
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(resource_server(service.api.issuer, API, _COOLDOWN)) for _ in range(2)
        ]
        token = service.api.issue(client)["access_token"]
        for server in opened:
            await server.verifier.verify(token)
        asked = _key_sets_served(service)
        fetched = [server.counted.key_sets for server in opened]
        load = Load(service, client, opened)
        tasks = [asyncio.create_task(load.run()) for _ in range(_CLIENTS)]
        for number in range(1, _ROTATIONS + 1):
            kid = (await asyncio.to_thread(_rotate, service)).kid
            await eventually(lambda kid=kid: kid in load.kids or _ended(tasks), f"tokens of the key {kid}")
            assert not _ended(tasks)
            # The cool-down began when the fetch ended, which was before a token of the new key held.
            await asyncio.sleep(_COOLDOWN * 2)
            assert [server.counted.key_sets - before for server, before in zip(opened, fetched, strict=True)] == [
                number,
                number,
            ]
        load.over = True
        await asyncio.gather(*tasks)
    assert len(load.kids) >= _ROTATIONS
    assert _key_sets_served(service) - asked == _ROTATIONS * len(opened)


def _rotate(service: Service) -> StoredKey:
    return service.operator.act(lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), "test"))


def _ended(tasks: list["asyncio.Task[None]"]) -> list[BaseException | None]:
    return [task.exception() for task in tasks if task.done()]


def _key_sets_served(service: Service) -> float:
    return service.api.metric("authcenter_http_request_seconds_count", route="/.well-known/jwks.json")


async def test_a_storm_of_unknown_keys_is_one_fetch(service: Service) -> None:
    client = service.operator.client("sdk-storm", "client_credentials", audiences=[API], scopes=["read"])
    token = service.api.issue(client)["access_token"]
    async with resource_server(service.api.issuer, API, cooldown=3_600) as server:
        await server.verifier.verify(token)
        before = _key_sets_served(service)
        forgeries = [forged(signing_key(), {"jti": str(n)}, {"kid": f"nobody-{n}"}) for n in range(_STORM)]
        answers = await asyncio.gather(*map(server.verifier.verify, forgeries), return_exceptions=True)
        assert [getattr(answer, "reason", answer) for answer in answers] == [Reason.KID] * _STORM
        assert _key_sets_served(service) - before == 1
        assert await server.verifier.verify(token)


@pytest.mark.timeout(300)
async def test_validation_goes_on_while_the_authorization_server_is_gone(tmp_path: Path) -> None:
    with AuthcenterProcess(tmp_path / "authcenter") as process, _api(process) as api:
        client = Operator(process.environment).client("app", "client_credentials", audiences=[API], scopes=["read"])
        seen, unseen = (api.issue(client)["access_token"] for _ in range(2))
        async with resource_server(process.url, API, cooldown=0) as server:
            await server.verifier.verify(seen)
            process.kill()
            await server.keys.refresh()
            assert await server.verifier.verify(seen)
            assert await server.verifier.verify(unseen)
            for _ in range(20):
                with pytest.raises(TokenRejected) as caught:
                    await server.verifier.verify(forged(signing_key(), header={"kid": "nobody"}))
                assert caught.value.reason is Reason.KID
            process.start()
            Operator(process.environment).act(lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), "test"))
            assert await server.verifier.verify(seen)

            async def new_key_verifies() -> bool:
                held = await verifies(server, api.issue(client)["access_token"], TokenRejected)
                return held is not None and held.kid != signing

            signing = (await server.verifier.verify(seen)).kid
            await eventually(new_key_verifies, "a token of the key made meanwhile")


@pytest.mark.timeout(300)
async def test_a_server_never_reached_cannot_be_judged_by_and_is_found_once_it_is_there(tmp_path: Path) -> None:
    process = AuthcenterProcess(tmp_path / "authcenter")
    async with resource_server(process.url, API) as server:
        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                await server.verifier.verify(forged(signing_key()))
        with process, _api(process) as api:
            client = Operator(process.environment).client("app", "client_credentials", audiences=[API], scopes=["read"])
            token = api.issue(client)["access_token"]

            async def verified() -> bool:
                return await verifies(server, token, KeysUnavailable) is not None

            await eventually(verified, "keys, of a server that has come")


def _api(process: AuthcenterProcess) -> Api:
    return Api(process.url, process.ops_url, process.url)
