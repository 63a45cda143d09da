"""Client authentication: every check, and that all live secrets are compared whichever fits."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import argon2
import pytest

from authcenter.clients.authentication import ClientAuthentication, PresentedClient
from authcenter.clients.methods.secret import ClientSecrets
from authcenter.core.client import AuthMethod, Client, ClientSecret
from authcenter.core.derived import MacKeys
from authcenter.core.errors import OAuthError, StoreUnavailable
from authcenter.core.rules import Rule
from authcenter.wiring.limits import build_limits
from authcenter.wiring.shared import in_process_shared
from tests.workbench import START, Workbench, refused

ADDRESS = "192.0.2.1"
BASIC, POST, NONE = AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST, AuthMethod.NONE


def authentication(bench: Workbench) -> ClientAuthentication:
    limits = build_limits(bench.settings, bench.policy, bench.clock, in_process_shared(bench.clock))
    return ClientAuthentication(bench.stores.clients, bench.core.secrets, limits.client_failures)


async def presented(bench: Workbench, client: str, method: AuthMethod, secret: str | None = None) -> Client:
    value = bench.secrets.get(client, "") if secret is None else secret
    return await authentication(bench).authenticate(PresentedClient(client, method, value), ADDRESS)


async def prepare(bench: Workbench) -> None:
    await bench.client("spa", auth_methods=frozenset({NONE}))
    await bench.client("basic", auth_methods=frozenset({BASIC}))
    await bench.client("gone")
    await bench.core.clients.disable("gone", "tests")


GOOD = [
    pytest.param("app", BASIC, id="basic"),
    pytest.param("app", POST, id="post"),
    pytest.param("spa", NONE, id="none"),
]
REFUSALS = [
    pytest.param("nobody", BASIC, "x", Rule.CLIENT_UNKNOWN, id="unknown"),
    pytest.param("nobody", NONE, "", Rule.CLIENT_UNKNOWN, id="unknown, public"),
    pytest.param("APP", BASIC, None, Rule.CLIENT_UNKNOWN, id="another case"),
    pytest.param("x" * 100_000, BASIC, "x", Rule.CLIENT_UNKNOWN, id="endless"),
    pytest.param("app", BASIC, "wrong", Rule.CLIENT_SECRET_WRONG, id="wrong secret"),
    pytest.param("app", BASIC, "", Rule.CLIENT_SECRET_WRONG, id="empty secret"),
    pytest.param("app", BASIC, "\u00e9\0", Rule.CLIENT_SECRET_WRONG, id="strange secret"),
    pytest.param("app", NONE, "", Rule.CLIENT_METHOD, id="no secret"),
    pytest.param("spa", BASIC, "x", Rule.CLIENT_METHOD, id="a secret it never had"),
    pytest.param("basic", POST, None, Rule.CLIENT_METHOD, id="another method, right secret"),
    pytest.param("gone", BASIC, None, Rule.CLIENT_DISABLED, id="disabled"),
    pytest.param("gone", BASIC, "wrong", Rule.CLIENT_SECRET_WRONG, id="disabled, told to nobody without the secret"),
]


@pytest.mark.parametrize(("client", "method"), GOOD)
async def test_who_proves_it_is_let_in(bench: Workbench, client: str, method: AuthMethod) -> None:
    await prepare(bench)
    assert (await presented(bench, client, method)).client_id == client


@pytest.mark.parametrize(("client", "method", "secret", "rule"), REFUSALS)
async def test_who_does_not_is_refused(
    bench: Workbench, client: str, method: AuthMethod, secret: str | None, rule: Rule
) -> None:
    await prepare(bench)
    with refused(rule):
        await presented(bench, client, method, secret)


async def test_strangers_cannot_tell_the_refusals_apart(bench: Workbench) -> None:
    await prepare(bench)
    told = set()
    for client, method, secret in (
        ("nobody", BASIC, "x"),
        ("app", BASIC, "x"),
        ("spa", BASIC, "x"),
        ("gone", BASIC, "x"),
    ):
        with pytest.raises(OAuthError) as refusal:
            await presented(bench, client, method, secret)
        told.add((refusal.value.code, refusal.value.description, refusal.value.status))
    assert len(told) == 1


async def test_a_record_that_does_not_answer_is_cannot_tell(bench: Workbench) -> None:
    bench.board.down = True
    with pytest.raises(StoreUnavailable):
        await presented(bench, "app", BASIC)


class Counted:
    """A slow hash that counts and fits nothing."""

    def __init__(self) -> None:
        self.compared: list[str] = []

    async def verify(self, password: str, stored: str) -> bool:
        self.compared.append(stored)
        return False


async def test_of_two_live_secrets_both_are_compared_whichever_fits(bench: Workbench) -> None:
    slow = Counted()
    secrets = ClientSecrets(MacKeys.derive([b"r" * 32], "client secret"), slow)
    value, made = secrets.make(START)
    brought = ClientSecret("$argon2id$brought", START)
    for order in ((made, brought), (brought, made)):
        client = replace(await bench.core.clients.get("app"), secrets=order)
        slow.compared.clear()
        assert await secrets.verify(client, value.reveal())
        assert slow.compared == ["$argon2id$brought"]
        assert not await secrets.verify(client, "wrong")


async def test_a_secret_brought_from_outside_is_argon2(bench: Workbench) -> None:
    stored = argon2.PasswordHasher(1, 8, 1).hash("brought along")
    client = replace(await bench.core.clients.get("app"), secrets=(ClientSecret(stored, START),))
    assert await bench.core.secrets.verify(client, "brought along")
    assert not await bench.core.secrets.verify(client, "something else")


async def test_an_unknown_client_is_compared_with_something_too(bench: Workbench) -> None:
    assert not await bench.core.secrets.verify(None, "x")


async def test_secrets_survive_a_new_root_as_long_as_the_old_one_is_there(bench: Workbench) -> None:
    before = ClientSecrets(MacKeys.derive([b"a" * 32], "client secret"), Counted())
    value, made = before.make(datetime.now(UTC))
    client: Any = replace(await bench.core.clients.get("app"), secrets=(made,))
    for roots, fits in (([b"b" * 32, b"a" * 32], True), ([b"b" * 32], False)):
        after = ClientSecrets(MacKeys.derive(roots, "client secret"), Counted())
        assert await after.verify(client, value.reveal()) == fits


def test_a_presented_client_does_not_show_its_secret() -> None:
    assert "hunter2" not in repr(PresentedClient("app", BASIC, "hunter2"))


def test_what_a_client_presented_is_not_shown() -> None:
    presented = PresentedClient("app", AuthMethod.SECRET_BASIC, "s3cret")
    assert "s3cret" not in f"{presented} {presented!r} {list(presented.__rich_repr__())}"
