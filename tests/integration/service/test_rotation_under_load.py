"""Keys are rotated while clients fetch tokens and resource servers check them: nobody notices."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import jwt

from authcenter.jose.algorithms import Alg
from tests.integration.service.api import Credentials
from tests.integration.service.running import Service

_ROTATIONS = 10
_BETWEEN = 0.25
_CLIENTS = 4
_HANG_SECONDS = 60


@dataclass(slots=True)
class ResourceServer:
    """Checks tokens by the published keys, which it fetches anew when a token names one that it does not know."""

    session: aiohttp.ClientSession
    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)

    async def check(self, issued_by: str, token: str) -> None:
        kid = jwt.get_unverified_header(token)["kid"]
        if kid not in self.keys:
            async with self.session.get(f"{issued_by}/.well-known/jwks.json") as answer:
                self.keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(await answer.json()).keys}
        jwt.decode(token, self.keys[kid], ["ES256"], audience="https://load.example")


@dataclass(slots=True)
class Load:
    """Fetches a token from one process, has it checked by key and by introspection at the other."""

    client: Credentials
    session: aiohttp.ClientSession
    over: asyncio.Event = field(default_factory=asyncio.Event)
    rounds: int = 0
    kids: set[str] = field(default_factory=set)

    async def run(self, issuing: str, checking: str) -> None:
        server = ResourceServer(self.session)
        while not self.over.is_set():
            token = (await self._post(f"{issuing}/oauth/token", grant_type="client_credentials"))["access_token"]
            self.kids.add(jwt.get_unverified_header(token)["kid"])
            await server.check(issuing, token)
            assert (await self._post(f"{checking}/oauth/introspect", token=token))["active"]
            self.rounds += 1

    async def _post(self, url: str, **form: str) -> Any:
        async with self.session.post(url, data={**form, **self.client.form()}) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None)


async def test_ten_rotations_under_load_fail_nobody(on_postgres: Service, beside: Service) -> None:
    client = on_postgres.operator.client("load", "client_credentials", audiences=["https://load.example"])
    urls = (on_postgres.api.url, beside.api.url)
    # A client that the test has just made: the other process may still remember that there was none.
    async with aiohttp.ClientSession() as session:
        load = Load(client, session)
        tasks = [asyncio.create_task(load.run(urls[n % 2], urls[1 - n % 2])) for n in range(_CLIENTS)]
        for _ in range(_ROTATIONS):
            rotating = on_postgres.operator.act
            await asyncio.to_thread(rotating, lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), "test"))
            await asyncio.sleep(_BETWEEN)
            assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
        async with asyncio.timeout(_HANG_SECONDS):
            while len(load.kids) <= 2 or load.rounds <= _ROTATIONS:
                assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
                await asyncio.sleep(_BETWEEN)
        load.over.set()
        await asyncio.gather(*tasks)
