"""The steps that all grants share."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from authcenter.core.approval import Approval
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import CutPending, StoreUnavailable
from authcenter.core.ids import Subject
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.grants.composite import CompositeTokenGranter
from authcenter.grants.granter import TokenGranter, TokenRequest
from tests.workbench import START, Workbench, refused


@dataclass(frozen=True, slots=True)
class Named(TokenGranter):
    """Approves whatever comes, for an audience that tells which of several granters it was."""

    name: str

    @property
    def grant_type(self) -> str:
        return "client_credentials"

    async def approve(self, request: TokenRequest) -> Approval:
        return Approval(request.client, Subject("app"), Scope(), (self.name,), request.at)


TYPES = [
    pytest.param("", Rule.PARAMETER_MISSING, id="none"),
    pytest.param("implicit", Rule.GRANT_TYPE_UNKNOWN, id="unknown"),
    pytest.param("CLIENT_CREDENTIALS", Rule.GRANT_TYPE_UNKNOWN, id="another case"),
    pytest.param("password", Rule.GRANT_NOT_ALLOWED, id="not the client's"),
]


@pytest.mark.parametrize(("grant_type", "rule"), TYPES)
async def test_grant_types_that_are_refused(bench: Workbench, grant_type: str, rule: Rule) -> None:
    await bench.client("svc", grants=frozenset({"client_credentials"}))
    with refused(rule):
        await bench.ask(grant_type, client="svc")


async def test_a_stranger_does_not_learn_which_grant_types_there_are(bench: Workbench) -> None:
    with refused(Rule.CLIENT_SECRET_WRONG):
        await bench.ask("implicit", secret="wrong")


async def test_the_first_of_two_granters_for_one_type_counts(bench: Workbench) -> None:
    granter = bench.granter
    granters = [Named("first"), Named("second")]
    composite = CompositeTokenGranter(
        granters, granter._authentication, granter._quota, granter._tokens, bench.core.revocations, bench.clock
    )
    assert composite.strategies["client_credentials"] is granters[0]


async def test_the_issued_at_is_the_clock_before_anything_was_looked_up(bench: Workbench) -> None:
    bench.clock.at = START + timedelta(seconds=0.9)
    answer = await bench.ask("client_credentials")
    assert answer.claims["iat"] == int(START.timestamp())


OWNERS = [
    pytest.param(CutKind.SUBJECT, id="subject"),
    pytest.param(CutKind.CLIENT, id="client"),
    pytest.param(CutKind.EVERYTHING, id="everything"),
]


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("kind", OWNERS)
async def test_what_a_cut_of_this_second_would_kill_waits_until_it_has_passed(
    bench: Workbench, waits: list[float], kind: CutKind, fraction: float
) -> None:
    bench.clock.at = START + timedelta(seconds=fraction)
    values = {CutKind.SUBJECT: bench.alice.subject, CutKind.CLIENT: "app", CutKind.EVERYTHING: ""}
    await bench.core.revocations.cut([Cut(kind, values[kind], "tests", until_now=True)], "tests")
    await bench.follow()
    answer = await bench.issue()
    assert waits == [pytest.approx(2 - fraction)]
    assert await bench.active(answer.access)
    assert await bench.active(answer.refresh)


async def test_a_password_change_is_waited_for_before_the_replica_knows_it(
    bench: Workbench, waits: list[float]
) -> None:
    await bench.core.accounts.logout("alice", actor="tests")
    answer = await bench.issue()
    await bench.follow()
    assert len(waits) == 1
    assert await bench.active(answer.access)


async def test_a_cut_that_does_not_pass_is_answered_try_again(bench: Workbench, waits: list[float]) -> None:
    bench.core.revocations.replica.add_cut(Cut(CutKind.CLIENT, "app", "tests"))
    with pytest.raises(CutPending) as pending:
        await bench.ask("client_credentials")
    assert pending.value.rule is Rule.TOKEN_CUT_PENDING
    assert len(waits) == 1


async def test_all_is_looked_at_again_after_the_wait(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.core.accounts.logout("alice", actor="tests")

    async def disabled_meanwhile(seconds: float) -> None:
        bench.clock.advance(seconds)
        held = bench.record.tables.users[bench.alice.subject]
        bench.record.tables.users[held.user.subject] = replace(held, user=replace(held.user, disabled_at=START))

    monkeypatch.setattr(asyncio, "sleep", disabled_meanwhile)
    with refused(Rule.USER_DISABLED):
        await bench.issue()


async def test_a_record_that_does_not_answer_grants_what_needs_none_and_nothing_else(bench: Workbench) -> None:
    token = (await bench.issue()).refresh
    bench.board.down = True
    assert (await bench.ask("client_credentials")).claims["sub"] == "app"
    for refused_now in (bench.issue(), bench.refresh(token), bench.ask("client_credentials", client="other")):
        with pytest.raises(StoreUnavailable):
            await refused_now
    bench.board.down = False
    assert (await bench.refresh(token)).refresh != token
