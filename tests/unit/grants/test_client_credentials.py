"""The client credentials grant: a confidential client's token of its own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.client import AuthMethod, Lifetimes
from authcenter.core.resource import ResourceScope
from authcenter.core.rules import Rule
from tests.workbench import API, ISSUER, OTHER_API, START, Workbench, refused

REFUSALS = [
    pytest.param({"client": "nobody", "secret": "x"}, Rule.CLIENT_UNKNOWN, id="unknown client"),
    pytest.param({"secret": "wrong"}, Rule.CLIENT_SECRET_WRONG, id="wrong secret"),
    pytest.param({"secret": ""}, Rule.CLIENT_METHOD, id="no secret"),
    pytest.param({"scope": "admin"}, Rule.SCOPE_NOT_ALLOWED, id="scope of others"),
    pytest.param({"scope": 'read"'}, Rule.SCOPE_MALFORMED, id="scope outside the grammar"),
    pytest.param({"resource": "https://unknown.example"}, Rule.RESOURCE_NOT_ALLOWED, id="unknown resource"),
    pytest.param({"resource": ISSUER}, Rule.RESOURCE_NOT_ALLOWED, id="the issuer, though there are audiences"),
    pytest.param({"resource": (API, OTHER_API)}, Rule.RESOURCE_SEVERAL, id="two resources"),
    pytest.param({"resource": API + "#x"}, Rule.RESOURCE_MALFORMED, id="resource with a fragment"),
    pytest.param({"resource": API + "/"}, Rule.RESOURCE_NOT_ALLOWED, id="resource compared as a string"),
]


@pytest.mark.parametrize(("change", "rule"), REFUSALS)
async def test_a_refused_request_writes_nothing(bench: Workbench, change: dict[str, Any], rule: Rule) -> None:
    before = bench.record.tables
    with refused(rule):
        await bench.ask("client_credentials", **change)
    assert bench.record.tables is before


async def test_a_clients_own_token(bench: Workbench) -> None:
    answer = await bench.ask("client_credentials")
    assert answer.members == {
        "access_token": answer.access,
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "read write",
    }
    issued_at = int(START.timestamp())
    claims = answer.claims
    assert len(claims.pop("jti")) == 22
    assert len(claims.pop("fam")) == 22
    assert claims == {
        "iss": ISSUER,
        "sub": "app",
        "client_id": "app",
        "aud": API,
        "exp": issued_at + 900,
        "iat": issued_at,
        "nbf": issued_at,
        "scope": "read write",
    }


async def test_it_asks_no_store_once_the_client_is_known(bench: Workbench) -> None:
    await bench.ask("client_credentials")
    bench.board.asked.clear()
    await bench.ask("client_credentials")
    assert bench.board.asked == []


async def test_a_public_client_has_no_token_of_its_own(bench: Workbench) -> None:
    await bench.client("spa", auth_methods=frozenset({AuthMethod.NONE}), grants=frozenset({"password"}))
    _allow(bench, "spa", "client_credentials")
    with refused(Rule.GRANT_NEEDS_CONFIDENTIAL_CLIENT):
        await bench.ask("client_credentials", client="spa")


AUDIENCES = [
    pytest.param((API, OTHER_API), (), API, id="the first by default"),
    pytest.param((API, OTHER_API), OTHER_API, OTHER_API, id="the one asked for"),
    pytest.param((), (), ISSUER, id="the issuer where there is none"),
    pytest.param((), ISSUER, ISSUER, id="the issuer by name"),
]


@pytest.mark.parametrize(("audiences", "resource", "aud"), AUDIENCES)
async def test_aud_is_never_empty(bench: Workbench, audiences: tuple[str, ...], resource: str, aud: str) -> None:
    await bench.client("svc", grants=frozenset({"client_credentials"}), audiences=audiences)
    assert (await bench.ask("client_credentials", client="svc", resource=resource)).claims["aud"] == aud


SCOPES = [
    pytest.param({}, "orders read", id="all but reserved ones by default"),
    pytest.param({"scope": ""}, "orders read", id="empty is absent"),
    pytest.param({"scope": " read  "}, "read", id="blanks around"),
    pytest.param({"scope": "read orders"}, "orders read", id="printed in order"),
    pytest.param({"scope": "authcenter:admin"}, "authcenter:admin", id="a reserved one by name"),
]


@pytest.mark.parametrize(("asked", "granted"), SCOPES)
async def test_what_scope_is_given(bench: Workbench, asked: dict[str, str], granted: str) -> None:
    await _scoped(bench)
    assert (await bench.ask("client_credentials", client="svc", **asked)).members["scope"] == granted


async def test_a_resource_narrows_the_default_and_refuses_what_it_does_not_define(bench: Workbench) -> None:
    await _scoped(bench)
    await bench.core.resources.update(API, None, {"read": ResourceScope()}, "tests")
    assert (await bench.ask("client_credentials", client="svc")).members["scope"] == "read"
    with refused(Rule.SCOPE_NOT_OF_RESOURCE):
        await bench.ask("client_credentials", client="svc", scope="read orders")


async def test_a_role_is_not_asked_of_a_client(bench: Workbench) -> None:
    await bench.core.resources.update(API, None, {"read": ResourceScope("", "reader")}, "tests")
    assert (await bench.ask("client_credentials", scope="read")).members["scope"] == "read"


LIFETIMES = [
    pytest.param(timedelta(seconds=60), 60, id="shorter"),
    pytest.param(timedelta(days=1), 900, id="longer counts for nothing"),
    pytest.param(None, 900, id="none"),
]


@pytest.mark.parametrize(("own", "seconds"), LIFETIMES)
async def test_a_clients_lifetime_may_only_be_shorter(bench: Workbench, own: timedelta | None, seconds: int) -> None:
    await bench.client("svc", grants=frozenset({"client_credentials"}), lifetimes=Lifetimes(access=own))
    answer = await bench.ask("client_credentials", client="svc")
    assert answer.members["expires_in"] == seconds
    assert answer.claims["exp"] - answer.claims["iat"] == seconds


async def _scoped(bench: Workbench) -> None:
    scopes = frozenset({"read", "orders", "authcenter:admin"})
    await bench.client("svc", grants=frozenset({"client_credentials"}), scopes=scopes, audiences=(API,))


def _allow(bench: Workbench, client_id: str, grant: str) -> None:
    client = bench.record.tables.clients[client_id]
    bench.record.tables.clients[client_id] = replace(client, grants=client.grants | {grant})
