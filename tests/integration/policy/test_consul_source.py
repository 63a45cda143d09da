"""The policy source over a real Consul: killed, frozen, restarted empty, forbidding."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from authcenter.settings.consul import ConsulPolicySource
from authcenter.settings.consul_kv import ConsulAddress, ConsulKv
from authcenter.settings.errors import ConsulUnavailable, SettingsError
from tests.integration.policy.kv import POLICY, remove, write
from tests.servers.consul import ConsulServer

pytestmark = pytest.mark.long

TOKEN = "6a1253d2-1785-24fd-91c2-f8e78c745511"
ONE, TWO = "tokens: {access_ttl: 61}", "tokens: {access_ttl: 62}"


class Heard:
    """What a source has told, and its last word on whether Consul answers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.answers: list[tuple[bool, str]] = []

    def note(self, up: bool, hint: str) -> None:
        self.answers.append((up, hint))

    @property
    def up(self) -> bool | None:
        return self.answers[-1][0] if self.answers else None

    async def until(self, holds: Callable[["Heard"], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds(self):
                await asyncio.sleep(0.02)

    async def told(self, text: str) -> None:
        await self.until(lambda heard: heard.texts[-1:] == [text])


@asynccontextmanager
async def following(server: ConsulServer, token: str = "", wait_seconds: float = 1.0) -> AsyncIterator[Heard]:
    heard, kv = Heard(), ConsulKv(ConsulAddress.of(server.url, token, {}))

    async def listen() -> None:
        async for text in ConsulPolicySource(kv, POLICY, heard.note, wait_seconds=wait_seconds).changes():
            heard.texts.append(text)

    listening = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await kv.close()


async def test_a_change_wakes_the_query_that_waits_for_it(consul: ConsulServer) -> None:
    write(consul, ONE)
    # The wait outlasts the test: only a woken query can tell of the change.
    async with following(consul, wait_seconds=300) as heard:
        await heard.told(ONE)
        await asyncio.to_thread(write, consul, TWO)
        await heard.told(TWO)
        assert heard.texts == [ONE, TWO]
        assert heard.up


async def test_what_is_absent_or_deleted_is_unknown_and_written_again_it_is_told(consul: ConsulServer) -> None:
    async with following(consul) as heard:
        await heard.until(lambda heard: heard.answers[-1:] == [(True, f"there is no key {POLICY}")])
        await asyncio.to_thread(write, consul, ONE)
        await heard.told(ONE)
        await asyncio.to_thread(remove, consul)
        await heard.until(lambda heard: heard.answers[-1] == (True, f"there is no key {POLICY}"))
        await asyncio.to_thread(write, consul, TWO)
        await heard.told(TWO)
        assert heard.texts == [ONE, TWO]


async def test_a_killed_consul_is_noticed_and_found_again(consul: ConsulServer) -> None:
    write(consul, ONE)
    async with following(consul) as heard:
        await heard.told(ONE)
        consul.kill()
        await heard.until(lambda heard: heard.up is False)
        consul.restart()
        await heard.until(lambda heard: heard.up is True)
        await asyncio.to_thread(write, consul, TWO)
        await heard.told(TWO)
        assert heard.texts == [ONE, TWO]


async def test_a_frozen_consul_is_noticed_and_thaws(consul: ConsulServer) -> None:
    write(consul, ONE)
    async with following(consul) as heard:
        await heard.told(ONE)
        consul.freeze()
        await heard.until(lambda heard: heard.up is False)
        consul.thaw()
        await heard.until(lambda heard: heard.up is True)
        assert heard.texts == [ONE]


async def test_a_consul_that_comes_back_empty_takes_nothing_away_and_its_lower_indexes_are_followed(
    consul: ConsulServer,
) -> None:
    for number in range(20):
        write(consul, str(number), f"authcenter/other/{number}")
    write(consul, ONE)
    async with following(consul) as heard:
        await heard.told(ONE)
        consul.restart_empty()
        await heard.until(lambda heard: heard.answers[-1] == (True, f"there is no key {POLICY}"))
        await asyncio.to_thread(write, consul, TWO)
        await heard.told(TWO)
        assert heard.texts == [ONE, TWO]


async def test_without_its_token_the_policy_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", TOKEN)
    with ConsulServer(tmp_path, acl_token=TOKEN) as server:
        write(server, ONE, token=TOKEN)
        async with following(server) as stranger:
            await stranger.until(lambda heard: heard.up is False)
            assert "ACLPermissionDenied" in stranger.answers[-1][1]
            assert stranger.texts == []
        monkeypatch.setenv("CONSUL_HTTP_TOKEN", "of-something-else")
        async with following(server, TOKEN) as heard:
            await heard.told(ONE)


async def test_compare_and_set_lets_one_of_two_win(shared_consul: ConsulServer, prefix: str) -> None:
    kv = ConsulKv(ConsulAddress.of(shared_consul.url, "", {}))
    try:
        assert await kv.put(f"{prefix}/x", "1", over=0)
        assert not await kv.put(f"{prefix}/x", "2", over=0)
        entry = (await kv.get(f"{prefix}/x")).entry
        assert entry is not None
        assert entry.value == b"1"
        # None of them what stands there already: to write that changes no index, so that the next one wins, too.
        won = await asyncio.gather(*(kv.put(f"{prefix}/x", str(number), over=entry.index) for number in range(2, 7)))
        assert sorted(won) == [False] * 4 + [True]
        assert not await kv.delete(entry)
        assert [each.key for each in await kv.under(prefix)] == [f"{prefix}/x"]
    finally:
        await kv.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nowhere.invalid:8500"])
async def test_whatever_fails_is_one_kind_of_failure(url: str) -> None:
    kv = ConsulKv(ConsulAddress.of(url, "", {}))
    with pytest.raises(ConsulUnavailable, match="Consul does not answer: "):
        await kv.get("x")
    await kv.close()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CONSUL_CACERT: cannot be read: No such file"):
        ConsulAddress.of("https://consul", "", {"CONSUL_CACERT": str(tmp_path / "ca.pem")})


def test_an_address_is_what_the_url_says() -> None:
    address = ConsulAddress.of(
        "https://[::1]:8501", "t", {"CONSUL_HTTP_ADDR": "http://elsewhere:1", "CONSUL_HTTP_SSL": "true"}
    )
    assert (address.scheme, address.host, address.port, address.ca_file) == ("https", "[::1]", 8501, "")
    assert ConsulAddress.of("http://consul", "", {}).port == 80
