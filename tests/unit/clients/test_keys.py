"""The keys that clients sign with: by value, and behind a URI that changes, fails and lies."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from authcenter.clients.keys import COOL_DOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS, ClientKeys, read_keys
from authcenter.core.client import Client
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import public_members, signature_jwk
from authcenter.stores.ports.remote import FetchFailed, Fetching
from tests.workbench import SetClock, Workbench, private_key

URI = "https://app.example/keys"


def jwk(alg: Alg, number: int = 0, /, **changes: Any) -> dict[str, Any]:
    return {**signature_jwk(private_key(alg, number).public_key(), alg), **changes}


def jwks(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(keys)}


class Shelf(Fetching):
    """What lies at the URI."""

    def __init__(self) -> None:
        self.body: bytes | None = b"{}"
        self.asked = 0
        self.gate: asyncio.Event | None = None

    def put(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps(jwks(*keys)).encode()

    async def get(self, url: str) -> bytes:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.body is None:
            raise FetchFailed("down")
        return self.body

    async def post(self, url: str, form: Any) -> int:
        raise NotImplementedError


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def keys(shelf: Shelf, clock: SetClock) -> ClientKeys:
    return ClientKeys(shelf, clock)


@pytest.fixture
async def app(bench: Workbench) -> Client:
    client = await bench.core.clients.get("app")
    return replace(client, relying_party=RelyingParty(jwks_uri=URI))


async def kids(keys: ClientKeys, client: Client, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in await keys.keys_of(client, kid)]


@pytest.mark.parametrize("alg", Alg)
async def test_a_key_verifies_what_its_private_half_signed(keys: ClientKeys, app: Client, alg: Alg) -> None:
    party = RelyingParty(jwks=jwks(jwk(alg)))
    (key,) = await keys.keys_of(replace(app, relying_party=party), jwk(alg)["kid"])
    assert key.alg is alg
    key.verify(ALGORITHMS[alg].sign(private_key(alg, 0), b"data"), b"data")


READ = [
    pytest.param(jwk(Alg.ES256), ["ES256"], id="one of ours"),
    pytest.param(public_members(private_key(Alg.RS256).public_key()), ["RS256", "PS256"], id="RSA without alg"),
    pytest.param(public_members(private_key(Alg.EDDSA).public_key()), ["EdDSA"], id="OKP without alg"),
    pytest.param(jwk(Alg.ES256, use="enc"), [], id="for encryption"),
    pytest.param(jwk(Alg.ES256, alg="ES384"), [], id="another algorithm"),
    pytest.param(jwk(Alg.ES256, alg="HS256"), [], id="a MAC"),
    pytest.param(jwk(Alg.ES256, crv="P-384"), [], id="another curve"),
    pytest.param(jwk(Alg.EDDSA, crv="X25519"), [], id="a curve for agreement"),
    pytest.param(jwk(Alg.ES256, x="AA"), [], id="not on the curve"),
    pytest.param({"kty": "RSA", "n": "AQAB" * 50, "e": "AQAB"}, [], id="a small RSA key"),
    pytest.param({"kty": "RSA", "n": "_" * 2_000, "e": "AQAB"}, [], id="a giant RSA key"),
    pytest.param({"kty": "oct", "k": "AAAA"}, [], id="symmetric"),
    pytest.param({"kty": 1}, [], id="kty is no text"),
    pytest.param({}, [], id="empty"),
]


@pytest.mark.parametrize(("member", "algs"), READ)
def test_what_cannot_verify_a_signature_is_passed_over(member: dict[str, Any], algs: list[str]) -> None:
    assert [key.alg for key in read_keys(jwks(member, jwk(Alg.ES256, 1)))] == [*algs, "ES256"]


@pytest.mark.parametrize("held", [{}, {"keys": None}, {"keys": "x"}, {"keys": ["x", 1, None]}])
def test_a_set_of_nothing_is_empty(held: dict[str, Any]) -> None:
    assert read_keys(held) == []


async def test_a_set_is_fetched_once_while_it_is_fresh(keys: ClientKeys, shelf: Shelf, app: Client) -> None:
    shelf.put(jwk(Alg.ES256, kid="a"), jwk(Alg.RS256, kid="b"))
    assert await kids(keys, app, "a") == ["a"]
    assert await kids(keys, app) == ["a", "b"]
    assert shelf.asked == 1


async def test_an_unknown_kid_has_the_set_fetched_anew(
    keys: ClientKeys, shelf: Shelf, clock: SetClock, app: Client
) -> None:
    shelf.put(jwk(Alg.ES256, kid="old"))
    await kids(keys, app, "old")
    clock.advance(COOL_DOWN_SECONDS)
    shelf.put(jwk(Alg.ES256, 1, kid="new"))
    assert await kids(keys, app, "new") == ["new"]
    assert await kids(keys, app, "old") == []


async def test_unknown_kids_do_not_make_a_storm(keys: ClientKeys, shelf: Shelf, clock: SetClock, app: Client) -> None:
    shelf.put(jwk(Alg.ES256, kid="a"))
    for number in range(100):
        assert await kids(keys, app, f"unknown-{number}") == []
    assert shelf.asked == 1
    clock.advance(COOL_DOWN_SECONDS)
    await kids(keys, app, "unknown")
    assert shelf.asked == 2


async def test_a_key_that_was_taken_out_lapses(keys: ClientKeys, shelf: Shelf, clock: SetClock, app: Client) -> None:
    shelf.put(jwk(Alg.ES256, kid="a"))
    assert await kids(keys, app, "a") == ["a"]
    shelf.put(jwk(Alg.ES256, 1, kid="b"))
    clock.advance(FRESH_SECONDS)
    assert await kids(keys, app, "a") == []


async def test_an_outage_is_bridged_for_a_while(keys: ClientKeys, shelf: Shelf, clock: SetClock, app: Client) -> None:
    shelf.put(jwk(Alg.ES256, kid="a"))
    assert await kids(keys, app, "a") == ["a"]
    shelf.body = None
    clock.advance(STALE_SECONDS - 1)
    assert await kids(keys, app, "a") == ["a"]
    clock.advance(COOL_DOWN_SECONDS)
    assert await kids(keys, app, "a") == []


@pytest.mark.parametrize(
    "body", [None, b"", b"[]", b"\xff", b"[" * 100_000], ids=["down", "empty", "array", "", "deep"]
)
async def test_what_is_no_set_leaves_no_keys(keys: ClientKeys, shelf: Shelf, app: Client, body: bytes | None) -> None:
    shelf.body = body
    assert await kids(keys, app, "a") == []
    assert await kids(keys, app, "a") == []
    assert shelf.asked == 1


async def test_many_at_once_make_one_fetch(keys: ClientKeys, shelf: Shelf, app: Client) -> None:
    shelf.put(jwk(Alg.ES256, kid="a"))
    shelf.gate = asyncio.Event()
    waiting = [asyncio.create_task(kids(keys, app, "a")) for _ in range(50)]
    while not shelf.asked:
        await asyncio.sleep(0)
    waiting[0].cancel()
    shelf.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [["a"]] * 49
    assert shelf.asked == 1


async def test_a_client_without_keys_has_none(bench: Workbench, keys: ClientKeys, shelf: Shelf) -> None:
    assert await kids(keys, await bench.core.clients.get("app")) == []
    assert shelf.asked == 0
