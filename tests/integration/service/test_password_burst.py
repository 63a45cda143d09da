"""More logins at once than can be hashed: some are told to try again, and everybody else notices nothing."""

import asyncio

import aiohttp

from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

_LOGINS = 150
_MACHINES = 30


async def test_a_burst_of_logins_is_bounded_and_blocks_nobody(service: Service) -> None:
    client = service.operator.client("burst", "client_credentials", "password")
    service.operator.user("burst")
    login = {"grant_type": "password", "username": "burst", "password": PASSWORD, **client.form()}
    machine = {"grant_type": "client_credentials", **client.form()}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(form: dict[str, str]) -> tuple[int, str | None]:
            async with session.post(f"{service.api.url}/oauth/token", data=form) as answer:
                return answer.status, answer.headers.get("Retry-After")

        logins = [asyncio.create_task(ask(login)) for _ in range(_LOGINS)]
        machines = [await ask(machine) for _ in range(_MACHINES)]
        answers = await asyncio.gather(*logins)

    assert {status for status, _ in machines} == {200}
    assert {status for status, _ in answers} == {200, 503}
    assert all(retry is not None and int(retry) > 0 for status, retry in answers if status == 503)
    assert (await asyncio.to_thread(service.api.ask, client, "password", username="burst", password=PASSWORD)).ok
