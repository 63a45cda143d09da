"""The refresh token grant: what refuses it, in which order, and that a refusal spends nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.cli.token_inspection import inspect_token
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import Lifetimes, Profile
from authcenter.core.cut import Cut, CutKind
from authcenter.core.event import EventKind
from authcenter.core.resource import ResourceScope
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from tests.workbench import API, OTHER_API, START, Workbench, refused

NEVER_ISSUED = "acr_" + "a" * 22 + "." + "b" * 43

REFUSALS = [
    pytest.param({"refresh_token": "never-issued"}, Rule.REFRESH_MALFORMED, id="not of our form"),
    pytest.param({"refresh_token": NEVER_ISSUED}, Rule.REFRESH_UNKNOWN, id="unknown token"),
    pytest.param({"refresh_token": ""}, Rule.PARAMETER_MISSING, id="no token"),
    pytest.param({"client": "other"}, Rule.REFRESH_FOREIGN, id="token of another client"),
    pytest.param({"secret": "wrong"}, Rule.CLIENT_SECRET_WRONG, id="wrong secret"),
    pytest.param({"scope": "read admin"}, Rule.SCOPE_EXCEEDS_GRANT, id="wider scope than granted"),
    pytest.param({"scope": "r\u00e9ad"}, Rule.SCOPE_MALFORMED, id="scope outside the grammar"),
    pytest.param({"resource": OTHER_API}, Rule.RESOURCE_EXCEEDS_GRANT, id="another resource than granted"),
    pytest.param({"resource": (API, API)}, Rule.RESOURCE_SEVERAL, id="two resources"),
    pytest.param({"resource": API + "#top"}, Rule.RESOURCE_MALFORMED, id="resource with a fragment"),
    pytest.param({"resource": ("",)}, Rule.RESOURCE_MALFORMED, id="empty resource"),
    pytest.param({"after": timedelta(days=31)}, Rule.REFRESH_EXPIRED, id="past its lifetime"),
    pytest.param({"after": timedelta(days=30)}, Rule.REFRESH_EXPIRED, id="at the end of its lifetime"),
]


@pytest.mark.parametrize(("change", "rule"), REFUSALS)
async def test_a_refused_refresh_does_not_spend_the_token(bench: Workbench, change: dict[str, Any], rule: Rule) -> None:
    token = (await bench.issue(scope="read write")).refresh
    with refused(rule):
        await bench.refresh(token, **change)
    assert not bench.spent(token)
    assert not bench.ended(token)


STOLEN = [
    pytest.param({"client": "other"}, Rule.REFRESH_FOREIGN, id="client"),
    pytest.param({"secret": "wrong"}, Rule.CLIENT_SECRET_WRONG, id="client's secret"),
    pytest.param({"scope": "admin"}, Rule.SCOPE_EXCEEDS_GRANT, id="scope"),
    pytest.param({"resource": OTHER_API}, Rule.RESOURCE_EXCEEDS_GRANT, id="resource"),
]


@pytest.mark.parametrize(("change", "rule"), STOLEN)
async def test_what_else_is_wrong_is_found_before_already_spent_so_that_a_thief_cannot_end_a_family(
    bench: Workbench, change: dict[str, Any], rule: Rule
) -> None:
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    with refused(rule):
        await bench.refresh(first.refresh, **change)
    await bench.refresh(second.refresh)
    assert bench.counted("refresh_replay_detected_total") == 0


async def test_a_wrong_verifier_is_an_unknown_token(bench: Workbench) -> None:
    token = (await bench.issue()).refresh
    with refused(Rule.REFRESH_UNKNOWN):
        await bench.refresh(token[:-1] + ("a" if token[-1] != "a" else "b"))
    assert not bench.spent(token)


async def test_a_refresh_rotates(bench: Workbench) -> None:
    first = await bench.issue(scope="read")
    bench.clock.advance(5)
    second = await bench.refresh(first.refresh)
    assert second.refresh != first.refresh
    assert second.access != first.access
    assert second.claims["iat"] == first.claims["iat"] + 5
    for claim in ("sub", "fam", "scope", "aud", "auth_time", "amr", "client_id"):
        assert second.claims[claim] == first.claims[claim]
    assert bench.spent(first.refresh)
    assert not bench.spent(second.refresh)


async def test_a_replay_ends_the_family_its_access_tokens_included(bench: Workbench) -> None:
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    assert await bench.active(second.access)
    with refused(Rule.REFRESH_REPLAYED):
        await bench.refresh(first.refresh)
    assert bench.counted("refresh_replay_detected_total") == 1
    assert EventKind.REFRESH_REPLAYED in bench.kinds()
    assert not await bench.active(first.access)
    assert not await bench.active(second.access)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(second.refresh)


async def test_of_many_at_once_one_wins_and_the_family_dies(bench: Workbench) -> None:
    first = await bench.issue()
    answers = await asyncio.gather(*(bench.refresh(first.refresh) for _ in range(50)), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert bench.ended(first.refresh)
    assert bench.counted("refresh_replay_detected_total") >= 1


async def test_with_grace_of_many_at_once_all_get_one_answer(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    first = await bench.issue()
    answers = await asyncio.gather(*(bench.refresh(first.refresh) for _ in range(50)))
    assert len({answer.body for answer in answers}) == 1
    assert not bench.ended(first.refresh)


GRACE = [
    pytest.param(0, 0, False, id="no grace"),
    pytest.param(10, 9.999, True, id="just within"),
    pytest.param(10, 10, False, id="just past"),
]


@pytest.mark.parametrize(("grace", "later", "answered"), GRACE)
async def test_a_retry_within_the_grace_gets_the_identical_answer_and_later_is_theft(
    bench: Workbench, grace: int, later: float, answered: bool
) -> None:
    bench.offer(f"tokens: {{refresh_reuse_grace: {grace}, leeway: 31}}")
    first = await bench.issue()
    answer = await bench.refresh(first.refresh)
    bench.clock.advance(later)
    if answered:
        assert (await bench.refresh(first.refresh)).body == answer.body
        assert not bench.ended(first.refresh)
    else:
        with refused(Rule.REFRESH_REPLAYED):
            await bench.refresh(first.refresh)
        assert bench.ended(first.refresh)


async def test_a_retry_after_the_successor_was_used_makes_no_branch(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    third = await bench.refresh(second.refresh)
    assert (await bench.refresh(first.refresh)).body == second.body
    assert (await bench.refresh(second.refresh)).body == third.body
    live = [token for token in bench.record.tables.tokens.values() if token.spent_at is None]
    assert len(live) == 1


async def test_grace_ends_with_the_family(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    assert await bench.revoke(second.refresh) is None
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(first.refresh)


async def test_a_grace_that_begins_later_finds_no_answer_to_give(bench: Workbench) -> None:
    first = await bench.issue()
    await bench.refresh(first.refresh)
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    with refused(Rule.REFRESH_REPLAYED):
        await bench.refresh(first.refresh)


async def test_what_is_kept_for_the_grace_opens_only_with_the_token(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    first = await bench.issue()
    answer = await bench.refresh(first.refresh)
    sealed = [token.sealed_answer for token in bench.record.tables.tokens.values() if token.sealed_answer]
    assert len(sealed) == 1
    assert answer.access.encode() not in sealed[0]
    assert answer.refresh.encode() not in sealed[0]


async def test_a_clients_own_grace_may_only_be_shorter(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_reuse_grace: 10}")
    grants = frozenset({"password", "refresh_token"})
    await bench.client("strict", grants=grants, lifetimes=Lifetimes(reuse_grace=timedelta(0)))
    await bench.client("lax", grants=grants, lifetimes=Lifetimes(reuse_grace=timedelta(hours=1)))
    for client in ("strict", "lax"):
        first = await bench.issue(client=client)
        await bench.refresh(first.refresh, client=client)
        bench.clock.advance(11)
        with refused(Rule.REFRESH_REPLAYED):
            await bench.refresh(first.refresh, client=client)


async def test_narrowing_narrows_the_access_token_and_not_the_family(bench: Workbench) -> None:
    first = await bench.issue(scope="read write")
    second = await bench.refresh(first.refresh, scope="read")
    assert second.claims["scope"] == second.members["scope"] == "read"
    third = await bench.refresh(second.refresh)
    assert third.claims["scope"] == "read write"


async def test_a_role_taken_away_narrows_the_next_refresh(bench: Workbench) -> None:
    scopes = {"read": ResourceScope("", "reader"), "write": ResourceScope("")}
    await bench.core.resources.update(API, None, scopes, "tests")
    first = await bench.issue(scope="read write")
    assert first.claims["scope"] == "read write"
    _take_roles(bench)
    second = await bench.refresh(first.refresh)
    assert second.claims["scope"] == "write"
    assert second.claims["roles"] == []
    with refused(Rule.SCOPE_ROLE_MISSING):
        await bench.refresh(second.refresh, scope="read")
    assert not bench.spent(second.refresh)


async def _give(bench: Workbench, scopes: str, *audiences: str) -> None:
    """What the client may have from now on, and no more."""

    def given(old: ClientMetadata) -> ClientMetadata:
        return replace(old, scopes=frozenset(scopes.split()), audiences=audiences)

    await bench.core.clients.update("app", given, "tests")
    await bench.follow()


async def test_what_was_taken_from_the_client_is_gone_with_the_next_refresh_until_it_is_given_back(
    bench: Workbench,
) -> None:
    answer = await bench.issue(scope="read write")
    await _give(bench, "read", API)
    answer = await bench.refresh(answer.refresh)
    assert answer.claims["scope"] == answer.members["scope"] == "read"
    answer = await bench.refresh(answer.refresh, scope="read write")
    assert answer.claims["scope"] == "read"
    await _give(bench, "read write more", API)
    assert (await bench.refresh(answer.refresh)).claims["scope"] == "read write"


TAKEN = [
    pytest.param("other", (API,), {}, Rule.SCOPE_NOT_ALLOWED, id="all of its scope"),
    pytest.param("read write", (OTHER_API,), {}, Rule.RESOURCE_NOT_ALLOWED, id="its resource"),
    pytest.param("read write", (), {}, Rule.RESOURCE_NOT_ALLOWED, id="every resource"),
    pytest.param("read", (API,), {"scope": "write"}, Rule.SCOPE_NOT_ALLOWED, id="what it asks for"),
]


@pytest.mark.parametrize(("scopes", "audiences", "asked", "rule"), TAKEN)
async def test_where_nothing_is_left_a_refresh_is_refused_and_spends_nothing(
    bench: Workbench, scopes: str, audiences: tuple[str, ...], asked: dict[str, str], rule: Rule
) -> None:
    token = (await bench.issue(scope="read write")).refresh
    await _give(bench, scopes, *audiences)
    with refused(rule):
        await bench.refresh(token, **asked)
    assert not bench.spent(token)
    await _give(bench, "read write", API)
    assert (await bench.refresh(token)).claims["scope"] == "read write"


async def test_a_disabled_user_gets_nothing(bench: Workbench) -> None:
    token = (await bench.issue()).refresh
    held = bench.record.tables.users[bench.alice.subject]
    _replace_user(bench, disabled_at=START)
    with refused(Rule.REFRESH_USER_GONE):
        await bench.refresh(token)
    del bench.record.tables.users[held.user.subject]
    with refused(Rule.REFRESH_USER_GONE):
        await bench.refresh(token)
    assert not bench.spent(token)


async def test_a_cut_user_gets_nothing_for_what_was_approved_before(bench: Workbench) -> None:
    token = (await bench.issue()).refresh
    _replace_user(bench, cut_at=START)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(token)
    assert not bench.spent(token)


CUTS = [
    pytest.param(CutKind.SUBJECT, id="subject"),
    pytest.param(CutKind.CLIENT, id="client"),
    pytest.param(CutKind.FAMILY, id="family"),
    pytest.param(CutKind.EVERYTHING, id="everything"),
]


@pytest.mark.parametrize("kind", CUTS)
async def test_the_replica_ends_families_before_the_row_says_so(bench: Workbench, kind: CutKind) -> None:
    first = await bench.issue()
    values = {
        CutKind.SUBJECT: bench.alice.subject,
        CutKind.CLIENT: "app",
        CutKind.FAMILY: first.claims["fam"],
        CutKind.EVERYTHING: "",
    }
    bench.core.revocations.replica.add_cut(Cut(kind, values[kind], "cut", up_to=START))
    assert not await bench.active(first.refresh)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(first.refresh)
    assert not bench.spent(first.refresh)


async def test_a_family_that_slips_in_behind_its_clients_cut_stays_refused_when_the_cut_has_lapsed(
    bench: Workbench,
) -> None:
    """Approved before the cut, committed after it had ended what there was."""
    opening = bench.board.held["refresh_tokens.open_family"] = asyncio.Event()
    late = asyncio.create_task(bench.issue())
    while "refresh_tokens.open_family" not in bench.board.asked:
        await asyncio.sleep(0)
    lapses = START + timedelta(hours=25)
    cut = Cut(CutKind.CLIENT, "app", "stolen", until_now=True, expires_at=lapses)
    await bench.core.revocations.cut([cut], "tests")
    opening.set()
    token = (await late).refresh
    assert not bench.ended(token)

    for seconds in (1, 86_400, 86_400):
        bench.clock.advance(seconds)
        await bench.follow()
        assert not await bench.active(token)
        with refused(Rule.REFRESH_FAMILY_ENDED):
            await bench.refresh(token)
        inspected = await inspect_token(bench.core, Secret(token))
        assert inspected.described["rule"] == Rule.REFRESH_FAMILY_ENDED
    assert not bench.core.revocations.replica.cut_reason(START.timestamp(), [(CutKind.CLIENT, "app")])
    assert await bench.refresh((await bench.issue()).refresh)


async def test_logging_out_ends_the_family_and_its_tokens(bench: Workbench) -> None:
    first = await bench.issue()
    await bench.core.accounts.logout("alice", actor="tests")
    await bench.follow()
    assert not await bench.active(first.access)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(first.refresh)


async def test_a_family_ends_at_its_longest_however_often_it_is_refreshed(bench: Workbench) -> None:
    bench.offer("tokens: {refresh_ttl: 100, refresh_max_lifetime: 250}")
    answer = await bench.issue()
    for _ in range(2):
        answer = await bench.refresh(answer.refresh, after=timedelta(seconds=99))
    with refused(Rule.REFRESH_EXPIRED):
        await bench.refresh(answer.refresh, after=timedelta(seconds=52))


async def test_an_openid_client_gets_a_refresh_token_with_offline_access_only(bench: Workbench) -> None:
    scopes = frozenset({"openid", "offline_access", "read"})
    await bench.client("rp", grants=frozenset({"password", "refresh_token"}), scopes=scopes, profile=Profile.OIDC)
    assert "refresh_token" not in (await bench.issue(client="rp", scope="openid read")).members
    assert "refresh_token" in (await bench.issue(client="rp", scope="openid offline_access")).members


def _take_roles(bench: Workbench) -> None:
    _replace_user(bench, roles=frozenset())


def _replace_user(bench: Workbench, **changes: Any) -> None:
    held = bench.record.tables.users[bench.alice.subject]
    bench.record.tables.users[held.user.subject] = replace(held, user=replace(held.user, **changes))
