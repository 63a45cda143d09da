"""What a revocation would hit, counted from the rows of issuance."""

from datetime import timedelta

import pytest

from authcenter.audit.blast_radius import BlastRadius, blast_radius, issued_token
from authcenter.audit.chain import GENESIS, link, without
from authcenter.core.cut import CutKind
from authcenter.core.event import Event, EventKind
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.stores.ports.audit_trail import AuditFilter
from authcenter.tokens.cut_targets import Target, TargetedRevocation
from tests.workbench import START, Workbench


def targeted(bench: Workbench) -> TargetedRevocation:
    core = bench.core
    return TargetedRevocation(core.revocations, core.lifetimes, core.stores.trail, core.clock)


async def reach(bench: Workbench, kind: CutKind, value: str = "", **about: object) -> BlastRadius:
    await bench.service.audit.flush()
    return await targeted(bench).reach(Target(kind, value, **about))  # type: ignore[arg-type]


async def issued(bench: Workbench) -> tuple[str, str, str]:
    """Two tokens of alice at ``app``, one of them refreshed, and one that ``other`` has for itself.

    Returns:
        Of the first: the family, the jti, and the key that signed it.
    """
    first = await bench.issue()
    await bench.issue()
    await bench.refresh(first.refresh)
    await bench.ask("client_credentials", client="other")
    return first.claims["fam"], first.claims["jti"], bench.signer.kid


async def test_it_counts_by_each_of_the_names(bench: Workbench) -> None:
    family, jti, kid = await issued(bench)
    counts = {
        CutKind.CLIENT: ("app", 3),
        CutKind.SUBJECT: (bench.alice.subject, 3),
        CutKind.FAMILY: (family, 2),
        CutKind.JTI: (jti, 1),
        CutKind.KEY: (kid, 4),
        CutKind.EVERYTHING: ("", 4),
    }
    for kind, (value, tokens) in counts.items():
        assert (kind, (await reach(bench, kind, value)).tokens) == (kind, tokens)


async def test_it_tells_who_is_hit_and_until_when_they_would_have_lived(bench: Workbench) -> None:
    await issued(bench)
    told = await reach(bench, CutKind.EVERYTHING)
    assert told.clients == {"app": 3, "other": 1}
    assert (told.families, told.refreshable, told.subjects) == (3, 2, 2)
    assert told.last_expires_at == START + timedelta(seconds=bench.policy.current.tokens.access_ttl)
    assert told.complete


async def test_a_clients_own_token_is_found_by_its_approval(bench: Workbench) -> None:
    own = await bench.ask("client_credentials", client="other")
    assert (await reach(bench, CutKind.FAMILY, own.claims["fam"])).tokens == 1


async def test_nothing_is_hit_by_what_nobody_is_called(bench: Workbench) -> None:
    await issued(bench)
    for kind in CutKind:
        if kind is not CutKind.EVERYTHING:
            assert (await reach(bench, kind, "nobody")) == BlastRadius(0, 0, 0, 0)


async def test_what_has_lapsed_does_not_count(bench: Workbench) -> None:
    await issued(bench)
    bench.clock.advance(bench.policy.current.tokens.access_ttl - 1)
    assert (await reach(bench, CutKind.CLIENT, "app")).tokens == 3
    bench.clock.advance(1)
    assert (await reach(bench, CutKind.CLIENT, "app")).tokens == 0


async def test_only_what_was_issued_until_then_counts_where_that_is_asked(bench: Workbench) -> None:
    await bench.issue()
    bench.clock.advance(60)
    await bench.issue()
    assert (await reach(bench, CutKind.CLIENT, "app", issued_before=START)).tokens == 1
    assert (await reach(bench, CutKind.CLIENT, "app", issued_before=START + timedelta(seconds=60))).tokens == 2
    assert (await reach(bench, CutKind.EVERYTHING, issued_before=START - timedelta(seconds=1))).tokens == 0


async def test_what_is_refused_already_does_not_count(bench: Workbench) -> None:
    one = await bench.issue()
    await bench.issue()
    await bench.revoke(one.access)
    assert (await reach(bench, CutKind.CLIENT, "app")).tokens == 1
    await bench.core.accounts.logout("alice", actor="tests")
    await bench.follow()
    assert (await reach(bench, CutKind.CLIENT, "app")).tokens == 0


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        pytest.param(CutKind.CLIENT, 1, id="client"),
        pytest.param(CutKind.SUBJECT, 1, id="user"),
        pytest.param(CutKind.FAMILY, 2, id="approval"),
        pytest.param(CutKind.EVERYTHING, 0, id="everything"),
    ],
)
async def test_what_was_counted_is_what_is_refused_then(bench: Workbench, kind: CutKind, left: int) -> None:
    family, _, _ = await issued(bench)
    value = {CutKind.CLIENT: "app", CutKind.SUBJECT: bench.alice.subject, CutKind.FAMILY: family}.get(kind, "")
    before = bench.clock.now() if kind is CutKind.EVERYTHING else None
    target = Target(kind, value, before)
    await bench.service.audit.flush()
    all_there_are = (await targeted(bench).reach(Target(CutKind.EVERYTHING, ""))).tokens
    counted = (await targeted(bench).reach(target)).tokens
    await targeted(bench).revoke(target, "lost", "tests")
    await bench.follow()
    assert (await targeted(bench).reach(target)).tokens == 0
    assert (await targeted(bench).reach(Target(CutKind.EVERYTHING, ""))).tokens == all_there_are - counted == left


async def test_beyond_so_many_rows_it_is_a_lower_bound(bench: Workbench) -> None:
    for _ in range(5):
        await bench.issue()
    await bench.service.audit.flush()
    for most, tokens, complete in ((2, 2, False), (5, 5, True), (9, 5, True)):
        told = await blast_radius(
            CutKind.CLIENT,
            "app",
            bench.stores.trail,
            bench.clock.now(),
            longest=LONGEST_TOKEN,
            refused=lambda _: False,
            most=most,
        )
        assert (told.tokens, told.complete) == (tokens, complete)


async def test_rows_that_an_erasure_emptied_stop_nothing(bench: Workbench) -> None:
    await bench.issue()
    await bench.service.audit.flush()
    (row,) = (await bench.stores.trail.find(AuditFilter(event=EventKind.TOKEN_ISSUED), 5)).rows
    assert issued_token(without(row, frozenset({"context"}))) is None
    nobodys = issued_token(without(row, frozenset({"subject", "ip"})))
    assert nobodys is not None
    assert (nobodys.subject, nobodys.client_id) == ("", "app")


async def test_only_rows_of_issuance_are_tokens(bench: Workbench) -> None:
    row = link(Event(EventKind.TOKEN_REVOKED, "tests", context={"jti": "x", "exp": 1}), START, "writer", 1, GENESIS)
    assert issued_token(row) is None
