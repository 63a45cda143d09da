"""Signing keys and the policy, as operators see and change them over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from authcenter.settings.file_policies import FilePolicyStore
from authcenter.settings.policy_store import PolicyStore
from tests.unit.http.operators import Desk
from tests.workbench import API, Workbench


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


async def test_keys_are_listed_without_their_private_halves(desk: Desk, bench: Workbench) -> None:
    found = (await desk.get("/keys")).items
    assert {(key["alg"], key["state"], key["opens"]) for key in found} == {
        ("ES256", "current", True),
        ("EdDSA", "current", True),
    }
    assert all(set(key) == {"kid", "alg", "state", "created_at", "signs_from", "opens"} for key in found)


async def test_the_plan_tells_what_comes(desk: Desk) -> None:
    plan = (await desk.get("/keys/plan")).body
    assert (plan["paused"], plan["in_use"]) == (False, ["ES256", "EdDSA"])
    assert [step["act"] for step in plan["steps"]][:2] == ["publish", "publish"]


async def test_the_next_key_is_published_before_it_signs_unless_it_is_to_sign_now(desk: Desk, bench: Workbench) -> None:
    signs = bench.signer.kid
    made = await desk.post("/keys/rotate", {"alg": "ES256"})
    assert (made.status, made.body["state"]) == (201, "next")
    assert bench.signer.kid == signs
    event = bench.events[-1]
    assert (event.kind, event.actor) == (EventKind.KEY_CREATED, "backoffice")
    assert event.origin is not None
    assert (await desk.post(f"/keys/{made.body['kid']}/retire")).body["state"] == "retired"
    at_once = await desk.post("/keys/rotate", {"now": True})
    assert (at_once.body["state"], bench.signer.kid) == ("current", at_once.body["kid"])
    assert (await desk.post(f"/keys/{at_once.body['kid']}/retire")).status == 409


@pytest.mark.parametrize("document", [{"alg": "none"}, {"alg": 1}, {"now": "yes"}, {"later": True}], ids=str)
async def test_a_rotation_that_is_none_is_refused(desk: Desk, bench: Workbench, document: dict[str, Any]) -> None:
    assert (await desk.post("/keys/rotate", document)).status == 422
    assert bench.events == []


async def test_a_revoked_key_takes_its_tokens_with_it_and_another_signs(desk: Desk, bench: Workbench) -> None:
    token = (await bench.ask("client_credentials", resource=API)).access
    signs = bench.signer.kid
    revoked = await desk.post(f"/keys/{signs}/revoke", {"reason": "leaked"})
    # Whoever revoked it was signed by it as well.
    assert (revoked.status, revoked.body["state"], revoked.body["successor"]) == (200, "revoked", bench.signer.kid)
    assert not await bench.active(token)
    assert (await desk.get("/keys")).status == 401
    desk.token = await desk.own_token()
    assert (await desk.post(f"/keys/{signs}/revoke", {"reason": "again"})).status == 409


@pytest.mark.parametrize("document", [{}, {"reason": " "}, {"reason": "two\nlines"}, {"reason": "x" * 256}], ids=str)
async def test_whoever_revokes_a_key_says_why(desk: Desk, bench: Workbench, document: dict[str, Any]) -> None:
    assert (await desk.post(f"/keys/{bench.signer.kid}/revoke", document)).status == 422
    assert (await desk.get("/keys")).status == 200


async def test_a_key_that_is_not_there_is_not_found(desk: Desk) -> None:
    assert (await desk.post("/keys/nope/retire")).status == 404
    assert (await desk.post("/keys/nope/revoke", {"reason": "leaked"})).status == 404


async def test_the_policy_in_force_is_told(desk: Desk, bench: Workbench) -> None:
    told = (await desk.get("/policy")).body
    assert (told["version"], told["generation"]) == (bench.policy.current.version, 1)
    assert told["policy"]["tokens"]["access_ttl"] == bench.policy.current.tokens.access_ttl


@pytest.mark.parametrize(
    "document", ["tokens: {access_ttl: 60}", {"tokens": {"access_ttl": 60}}], ids=["text", "object"]
)
async def test_a_document_is_checked_and_nothing_is_written(desk: Desk, bench: Workbench, document: Any) -> None:
    before = bench.policy.current
    told = (await desk.post("/policy/check", {"document": document})).body
    assert (told["changes"], told["replaces"]) == (True, before.version)
    assert "+tokens.access_ttl: 60" in told["difference"]
    assert any("live on for up to" in sentence for sentence in told["impact"])
    assert bench.policy.current is before
    assert (await desk.post("/policy/check", {"document": "tokens: {}"})).body["changes"] is False


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param({"document": "tokens: {access_ttl: soon}"}, "tokens.access_ttl", id="not a number"),
        pytest.param({"document": "{{{"}, "the document is refused", id="no document"),
        pytest.param({"document": "tokens: {acess_ttl: 60}"}, "access_ttl", id="mistyped field"),
        pytest.param({"document": 7}, "document", id="a number"),
        pytest.param({}, "document", id="nothing"),
        pytest.param({"document": "", "force": True}, "'force'", id="a mistyped member"),
    ],
)
async def test_a_document_that_does_not_hold_is_refused_by_its_field(
    desk: Desk, document: dict[str, Any], said: str
) -> None:
    checked = await desk.post("/policy/check", document)
    assert checked.status == 422
    assert said in checked.body["detail"]


async def test_where_the_policy_is_a_file_of_each_machine_a_push_is_refused_and_explained(
    desk: Desk, bench: Workbench
) -> None:
    pushed = await desk.post("/policy/push", {"document": "tokens: {access_ttl: 60}"})
    assert pushed.status == 409
    assert "Consul" in pushed.body["detail"]
    assert bench.events == []


@pytest.fixture
async def pushing(cheap_hashing: PasswordHashing, tmp_path: Path) -> AsyncIterator[tuple[Desk, Path]]:
    """A service whose policy can be pushed: to a file, that stands for Consul."""
    file = tmp_path / "policy.yaml"

    @asynccontextmanager
    async def opened() -> AsyncIterator[PolicyStore]:
        yield FilePolicyStore(file)

    bench = await Workbench(cheap_hashing, policy_store=opened).start()
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as web:
        yield await Desk.open(web, bench), file
    await listener.runner.cleanup()


async def test_a_push_replaces_what_it_was_checked_against(pushing: tuple[Desk, Path]) -> None:
    desk, file = pushing
    first = await desk.post("/policy/push", {"document": "tokens: {access_ttl: 60}"})
    assert (first.status, first.body["pushed"]) == (200, True)
    assert file.read_text() == "tokens: {access_ttl: 60}"
    await desk.bench.service.audit.flush()
    row = desk.bench.record.tables.audit[-1]
    assert (row.event, row.actor, row.request_id) == (
        EventKind.POLICY_PUSHED,
        "backoffice",
        first.headers["X-Request-Id"],
    )
    context = json.loads(row.context)
    assert (context["version"], context["cause"]) == (first.body["version"], "api")
    checked = await desk.post("/policy/check", {"document": "tokens: {access_ttl: 70}"})
    assert checked.body["replaces"] == first.body["version"]
    second = {"document": "tokens: {access_ttl: 80}", "replaces": checked.body["replaces"]}
    assert (await desk.post("/policy/push", second)).status == 200
    late = await desk.post("/policy/push", {"document": "tokens: {access_ttl: 90}", "replaces": first.body["version"]})
    assert late.status == 409
    assert file.read_text() == "tokens: {access_ttl: 80}"
    again = await desk.post("/policy/push", {"document": "tokens: {access_ttl: 80}"})
    assert (again.status, again.body["pushed"]) == (200, False)


async def test_a_push_that_does_not_hold_changes_nothing(pushing: tuple[Desk, Path]) -> None:
    desk, file = pushing
    assert (await desk.post("/policy/push", {"document": "tokens: []"})).status == 422
    assert desk.rule() == Rule.INPUT_REFUSED
    assert not file.exists()
