"""Hashing: what matches, what it costs, and what happens when too many come at once."""

import asyncio
import threading

import argon2
import bcrypt
import pytest

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing, check_new_password
from authcenter.core.errors import InvalidInput, Overloaded
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret

CHEAP = Argon2Cost(memory_kib=8, passes=1, lanes=1)


def brought(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


async def test_a_password_matches_its_own_hash_only(hashing: PasswordHashing) -> None:
    stored = await hashing.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await hashing.verify("correct horse", stored)
    assert not await hashing.verify("correct horsf", stored)


async def test_composed_and_decomposed_letters_are_one_password(hashing: PasswordHashing) -> None:
    assert await hashing.verify("cafe\u0301 au lait", await hashing.hash("caf\u00e9 au lait"))


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_bcrypt_hashes_are_verified(hashing: PasswordHashing, prefix: str) -> None:
    stored = brought("hunter22").replace("$2b$", prefix)
    assert await hashing.verify("hunter22", stored)
    assert not await hashing.verify("hunter23", stored)


async def test_argon2i_hashes_are_verified(hashing: PasswordHashing) -> None:
    stored = argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash("hunter22")
    assert await hashing.verify("hunter22", stored)


@pytest.mark.parametrize(
    ("password", "stored"),
    [
        pytest.param("x" * 73, brought("x" * 72), id="bcrypt over 72 bytes"),
        pytest.param("é" * 37, brought("é" * 36), id="bcrypt over 72 bytes in fewer characters"),
        pytest.param("hunter\0tail", brought("hunter"), id="bcrypt with NUL"),
        pytest.param("x" * 1025, brought("x"), id="too long for any"),
        pytest.param("\ud800", brought("x"), id="no text"),
        pytest.param("x", "", id="no hash"),
        pytest.param("x", "$argon2id$", id="broken hash"),
        pytest.param("x", "$2b$99$" + "a" * 53, id="broken bcrypt"),
        pytest.param("x", "$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", id="hash too dear"),
    ],
)
async def test_what_cannot_match_costs_one_hash_all_the_same(
    hashing: PasswordHashing, computed: list[str], password: str, stored: str
) -> None:
    assert not await hashing.verify(password, stored)
    assert computed == ["argon2"]


async def test_the_dummy_costs_what_a_verification_costs(hashing: PasswordHashing, computed: list[str]) -> None:
    stored = await hashing.hash("correct horse")
    computed.clear()
    await hashing.dummy_verify()
    dummy = list(computed)
    computed.clear()
    await hashing.verify("wrong", stored)
    assert dummy == computed == ["argon2"]


@pytest.mark.parametrize(
    ("stored", "upgrade"),
    [
        pytest.param(argon2.PasswordHasher(1, 8, 1).hash("x"), False, id="our own cost"),
        pytest.param(argon2.PasswordHasher(2, 8, 1).hash("x"), True, id="another cost"),
        pytest.param(argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash("x"), True, id="argon2i"),
        pytest.param(brought("x"), True, id="bcrypt"),
    ],
)
def test_hashes_that_are_not_our_own_want_an_upgrade(hashing: PasswordHashing, stored: str, upgrade: bool) -> None:
    assert hashing.needs_upgrade(stored) is upgrade


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("1234567", id="short"),
        pytest.param("e\u0301" * 7, id="short once composed"),
        pytest.param("x" * 1025, id="long"),
        pytest.param("12345678\0", id="NUL"),
        pytest.param("12345678\udfff", id="lone surrogate"),
    ],
)
def test_a_password_that_does_not_do_is_named_but_not_shown(password: str) -> None:
    with pytest.raises(InvalidInput, match=r"^password: ") as refused:
        check_new_password(Secret(password))
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "пароль-пароль", "        "])
def test_any_other_password_does(password: str) -> None:
    check_new_password(Secret(password))


class Gate:
    """Holds every hash until it is opened, and tells when one has come to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.at_work = threading.Event(), threading.Semaphore(0)
        real = argon2.PasswordHasher.verify

        def held(*args: object) -> object:
            self.at_work.release()
            assert self.open.wait(30)
            return real(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(argon2.PasswordHasher, "verify", held)

    async def wait_for_work(self) -> None:
        assert await asyncio.to_thread(self.at_work.acquire, timeout=30)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


async def test_a_full_pool_refuses_at_once_and_recovers(gate: Gate) -> None:
    hashing = PasswordHashing(CHEAP, workers=1, queue=2)
    taken = [asyncio.create_task(hashing.dummy_verify()) for _ in range(3)]
    await gate.wait_for_work()
    for attempt in (hashing.dummy_verify(), hashing.verify("x", ""), hashing.hash("x")):
        with pytest.raises(Overloaded) as refused:
            await attempt
        assert (refused.value.retry_after, refused.value.rule) == (1, Rule.PASSWORD_POOL_FULL)
    gate.open.set()
    await asyncio.gather(*taken)
    await asyncio.gather(*(hashing.dummy_verify() for _ in range(3)))
    hashing.close()


async def test_a_waiter_that_leaves_frees_no_thread_that_is_still_at_work(gate: Gate) -> None:
    hashing = PasswordHashing(CHEAP, workers=1, queue=0)
    left = asyncio.create_task(hashing.dummy_verify())
    await gate.wait_for_work()
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    with pytest.raises(Overloaded):
        await hashing.dummy_verify()
    gate.open.set()
    hashing._threads.submit(int).result(30)  # the one thread has come this far: the place is free, or never will be
    await hashing.dummy_verify()
    hashing.close()


async def test_a_waiter_that_leaves_the_queue_frees_its_place(gate: Gate) -> None:
    hashing = PasswordHashing(CHEAP, workers=1, queue=1)
    working, waiting = (asyncio.create_task(hashing.dummy_verify()) for _ in range(2))
    await gate.wait_for_work()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    next_one = asyncio.create_task(hashing.dummy_verify())
    gate.open.set()
    await asyncio.gather(working, next_one)
    hashing.close()


async def test_a_closed_pool_takes_no_work() -> None:
    hashing = PasswordHashing(CHEAP, workers=1, queue=0)
    hashing.close()
    for _ in range(2):
        with pytest.raises(Overloaded, match="takes no work"):
            await hashing.dummy_verify()


async def test_the_default_cost_is_the_one_owasp_names() -> None:
    hashing = PasswordHashing(workers=1)
    assert (await hashing.hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    hashing.close()
