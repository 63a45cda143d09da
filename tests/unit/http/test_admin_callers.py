"""Who may use the admin API, and how everybody else is refused."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from authcenter.core.rules import Rule
from authcenter.core.scope import ADMIN
from authcenter.core.user import User
from tests.forgery import forged
from tests.unit.http.operators import ADMIN_AUDIENCE, GRANTS, PROBLEM, Desk
from tests.workbench import API, ISSUER, START, Workbench

ADMIN_CLAIMS = {"aud": ADMIN_AUDIENCE, "scope": ADMIN, "client_id": "backoffice", "sub": "backoffice"}


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


async def test_a_client_with_scope_and_audience_is_answered(desk: Desk) -> None:
    found = await desk.get("/users")
    assert [user["username"] for user in found.items] == ["alice", "olga"]
    assert (found.headers["Content-Type"], found.headers["Cache-Control"]) == ("application/json", "no-store")


async def test_a_person_with_the_role_is_answered(desk: Desk) -> None:
    desk.token = await desk.persons_token()
    assert len((await desk.get("/users")).items) == 2


async def test_a_person_whose_subject_is_pairwise_is_known_by_the_family(desk: Desk, bench: Workbench) -> None:
    olga = await bench.core.accounts.get("olga")
    desk.token = await desk.persons_token()
    claims = await bench.core.verifier.read(desk.token)
    desk.token = forged(bench.signer, {**ADMIN_CLAIMS, "sub": "a-pairwise-name", "fam": claims.family})
    assert (await desk.post(f"/users/{bench.alice.subject}/disable")).status == 200
    assert bench.events[-1].actor == olga.subject


REFUSED = [
    pytest.param({"scope": "read"}, 403, "insufficient_scope", Rule.TOKEN_SCOPE, id="another scope"),
    pytest.param({"scope": f"x{ADMIN}"}, 403, "insufficient_scope", Rule.TOKEN_SCOPE, id="a scope that ends so"),
    pytest.param({"scope": ""}, 403, "insufficient_scope", Rule.TOKEN_SCOPE, id="no scope"),
    pytest.param({"aud": API}, 401, "invalid_token", Rule.TOKEN_AUDIENCE, id="another audience"),
    pytest.param({"aud": ISSUER}, 401, "invalid_token", Rule.TOKEN_AUDIENCE, id="this server's own audience"),
    pytest.param({"aud": f"{ADMIN_AUDIENCE}/"}, 401, "invalid_token", Rule.TOKEN_AUDIENCE, id="audience with a slash"),
    pytest.param({"aud": [ADMIN_AUDIENCE, API]}, 401, "invalid_token", Rule.TOKEN_AUDIENCE, id="a stranger's as well"),
    pytest.param({"exp": int(START.timestamp()) - 3600}, 401, "invalid_token", Rule.TOKEN_EXPIRED, id="expired"),
    pytest.param({"iss": "https://evil.example"}, 401, "invalid_token", Rule.TOKEN_ISSUER, id="another issuer"),
    pytest.param({"cnf": {"jkt": "x" * 43}}, 401, "invalid_token", Rule.TOKEN_BINDING, id="bound to a key"),
    pytest.param({"client_id": "gone", "sub": "gone"}, 401, "invalid_token", Rule.TOKEN_REVOKED, id="unknown client"),
    pytest.param({"sub": "usr_gone"}, 401, "invalid_token", Rule.TOKEN_REVOKED, id="unknown person"),
    pytest.param({"sub": "other"}, 401, "invalid_token", Rule.TOKEN_REVOKED, id="another client's name as subject"),
]


@pytest.mark.parametrize(("claims", "status", "error", "rule"), REFUSED)
async def test_a_token_that_does_not_do_is_refused_with_a_challenge_in_a_problem_document(
    desk: Desk, bench: Workbench, claims: dict[str, Any], status: int, error: str, rule: Rule
) -> None:
    desk.token = forged(bench.signer, {**ADMIN_CLAIMS, **claims})
    for method, path in (("GET", "/users"), ("POST", f"/users/{bench.alice.subject}/disable")):
        refused = await desk.send(method, path)
        assert (refused.status, refused.body["status"], refused.body["error"]) == (status, status, error)
        assert refused.headers["Content-Type"] == PROBLEM
        assert refused.headers["WWW-Authenticate"].startswith(f'Bearer realm="authcenter", error="{error}"')
        assert (f'scope="{ADMIN}"' in refused.headers["WWW-Authenticate"]) is (error == "insufficient_scope")
        assert desk.rule() == rule
    assert bench.alice.disabled_at is None
    assert bench.events == []


async def test_the_good_token_of_those_rows_is_good(desk: Desk, bench: Workbench) -> None:
    desk.token = forged(bench.signer, ADMIN_CLAIMS)
    assert (await desk.get("/users")).status == 200


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        pytest.param({}, Rule.BEARER_MISSING, id="nothing"),
        pytest.param({"Authorization": "Basic eDp5"}, Rule.BEARER_MISSING, id="Basic"),
        pytest.param({"Authorization": "Bearer "}, Rule.BEARER_MALFORMED, id="no token"),
        pytest.param({"Authorization": "Bearer x.y.z"}, Rule.TOKEN_MALFORMED, id="no JWT"),
        pytest.param({"Authorization": f"Bearer {'x' * 7_000}"}, Rule.TOKEN_MALFORMED, id="a long one"),
    ],
)
async def test_without_a_token_nothing_is_told(desk: Desk, headers: dict[str, str], rule: Rule) -> None:
    refused = await desk.send("GET", "/users?limit=none&unknown=1", headers=headers)
    assert (refused.status, refused.headers["Content-Type"]) == (401, PROBLEM)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert desk.rule() == rule


async def test_the_clients_secret_is_no_token(desk: Desk) -> None:
    assert (await desk.send("GET", "/users", headers=desk.basic())).status == 401


@pytest.mark.parametrize("roles", [[], ["reader"], ["operators"], ["Operator"]], ids=str)
async def test_a_person_without_the_role_is_refused(desk: Desk, bench: Workbench, roles: list[str]) -> None:
    await bench.core.accounts.store.replace(with_roles(bench, *roles))
    desk.token = await desk.persons_token("alice")
    refused = await desk.get("/users")
    assert (refused.status, refused.body["error"], refused.body["detail"]) == (
        403,
        "insufficient_scope",
        "Only operators may do this.",
    )
    assert desk.rule() == Rule.CALLER_NOT_OPERATOR


async def test_who_loses_the_role_is_refused_at_once(desk: Desk, bench: Workbench) -> None:
    await bench.core.accounts.store.replace(with_roles(bench, "operator"))
    desk.token = await desk.persons_token("alice")
    assert (await desk.get("/users")).status == 200
    await bench.core.accounts.store.replace(with_roles(bench, "reader"))
    assert (await desk.get("/users")).status == 403


async def test_who_is_disabled_or_logged_out_elsewhere_does_nothing_more_although_nobody_told_this_process(
    desk: Desk, bench: Workbench
) -> None:
    elsewhere = bench.another_core()
    desk.token = await desk.persons_token()
    await elsewhere.accounts.logout("olga", actor="tests")
    assert (await desk.get("/users")).status == 401
    bench.clock.advance(2)
    desk.token = await desk.persons_token()
    assert (await desk.get("/users")).status == 200
    await elsewhere.accounts.disable("olga", actor="tests")
    assert (await desk.get("/users")).status == 401
    desk.token = await desk.own_token()
    await elsewhere.clients.disable("backoffice", "tests")
    assert (await desk.get("/users")).status == 401
    assert desk.rule() == Rule.TOKEN_REVOKED


async def test_a_client_gets_the_scope_only_where_it_was_given_and_asked_for(desk: Desk, bench: Workbench) -> None:
    unasked = (await bench.ask("client_credentials", client="backoffice")).access
    desk.token = unasked
    assert (await desk.get("/users")).status == 403
    await bench.client("shop", grants=GRANTS, audiences=(ADMIN_AUDIENCE,))
    desk.token = (await bench.ask("client_credentials", client="shop")).access
    assert (await desk.get("/users")).status == 403


async def test_without_the_record_nobody_is_believed(desk: Desk, bench: Workbench) -> None:
    bench.board.down = True
    refused = await desk.get("/users")
    assert (refused.status, refused.headers["Content-Type"]) == (503, PROBLEM)
    assert "Retry-After" in refused.headers


def with_roles(bench: Workbench, *roles: str) -> User:
    return replace(bench.alice, roles=frozenset(roles))
