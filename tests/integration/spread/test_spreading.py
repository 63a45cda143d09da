"""What one instance revokes, the others refuse: by the stream, and by the record where the stream fails."""

import asyncio
from datetime import timedelta

import pytest

from authcenter.core.cut import Cut, CutKind
from authcenter.core.secret import Secret
from tests.integration.spread.instances import Fleet, Instance, all_refuse, token, unavailable, until

pytestmark = pytest.mark.long


def heard(one: Instance) -> str:
    """Where it stands in the stream."""
    return one.service.spreading[0]._position.last_id  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [2, 3])
async def test_what_one_instance_revokes_all_refuse(ships: Fleet, number: int) -> None:
    instances = await ships.instances(number)
    tokens = [token(at) for at in range(60)]
    await asyncio.gather(*(instances[at % number].revoke(one) for at, one in enumerate(tokens)))
    await all_refuse(instances, tokens)
    assert not instances[0].refuses(token(1_000))


async def test_the_stream_tells_it_not_the_record(ships: Fleet) -> None:
    one, other = await ships.instances(2)
    other.switch.down = True
    revoked = token()
    await one.revoke(revoked)
    await all_refuse([other], [revoked])


CUTS = [pytest.param(kind, id=kind.value) for kind in CutKind]


@pytest.mark.parametrize("kind", CUTS)
async def test_every_cut_is_told_by_the_stream(ships: Fleet, kind: CutKind) -> None:
    one, other = await ships.instances(2)
    other.switch.down = True
    cut, spared = token(1), token(2)
    value = {
        CutKind.JTI: cut.jti,
        CutKind.FAMILY: cut.family,
        CutKind.SESSION: cut.session,
        CutKind.KEY: cut.kid,
        CutKind.SUBJECT: cut.subject,
        CutKind.CLIENT: cut.client_id,
        CutKind.EVERYTHING: "",
    }[kind]
    await one.core.revocations.cut([Cut(kind, value, "tests", until_now=True)], "tests")
    await all_refuse([other], [cut])
    assert other.refuses(spared) == (kind in (CutKind.EVERYTHING, CutKind.KEY))


async def test_a_lifted_cut_is_read_from_the_record_at_once(ships: Fleet) -> None:
    one, other = await ships.instances(2)
    user = await one.core.accounts.create("alice", "alice@example.com", Secret("correct horse"), actor="tests")
    before, after = token(subject=user.subject), token(subject=user.subject)
    await one.core.accounts.disable("alice", actor="tests")
    await all_refuse([other], [before])
    await one.core.accounts.enable("alice", actor="tests")
    later = token(subject=user.subject, issued_at=after.issued_at + 3_600)
    await until(lambda: not other.refuses(later), "what is issued later is accepted again")
    assert other.refuses(before)


async def test_a_late_announcement_takes_nothing_back(ships: Fleet) -> None:
    """Announcements may arrive in another order than the commits they tell of."""
    one, other = await ships.instances(2)
    dead = token()
    await one.core.revocations.cut([Cut(CutKind.SUBJECT, dead.subject, "tests")], "tests")
    await all_refuse([other], [dead])
    assert one.record.spread
    early = Cut(CutKind.SUBJECT, dead.subject, "late", up_to=one.core.clock.now() - timedelta(days=1))
    await one.record.spread.announcer.tell((), (early,))
    marker = token(7)
    await one.revoke(marker)
    await all_refuse([other], [marker])
    assert other.refuses(dead)


async def test_commits_out_of_order_and_unannounced_are_found_in_the_record(ships: Fleet) -> None:
    """A row that somebody committed and died before announcing."""
    silent = await ships.instance(redis_url="", workers=False)
    (other,) = await ships.instances(1)
    revoked = token()
    await silent.revoke(revoked)
    assert not other.refuses(revoked)
    # As if ten seconds had gone by since the record was read.
    other.core.revocations._read_at -= 10
    await all_refuse([other], [revoked])
    assert other.following


async def test_while_the_record_is_down_redis_is_told_all_the_same(ships: Fleet) -> None:
    one, other = await ships.instances(2)
    one.switch.down = True
    revoked, disabled = token(1), token(2)
    await unavailable(one.revoke(revoked))
    await unavailable(one.core.revocations.cut([Cut(CutKind.SUBJECT, disabled.subject, "tests")], "tests"))
    await all_refuse([one, other], [revoked, disabled])
    assert ships.client.exists(f"revoked:{revoked.digest[:8].hex()}")
    # What the record never got must not outlast what there was to refuse.
    assert not other.refuses(token(2, issued_at=disabled.issued_at + 3_600))


async def test_with_both_gone_the_replica_is_degraded_and_says_so(ships: Fleet) -> None:
    one, _ = await ships.instances(2)
    one.switch.down = True
    await until(lambda: one.gauge("dependency_up", dependency="database") == 0, "the record is missed")
    assert one.gauge("revocation_degraded") == 0
    ships.redis.kill()
    await until(lambda: one.gauge("revocation_degraded") == 1, "it is degraded")
    assert one.gauge("dependency_up", dependency="redis") == 0
    one.switch.down = False
    await until(lambda: one.gauge("revocation_degraded") == 0, "the record is enough")
    ships.redis.start()
    await until(lambda: one.following, "the stream is followed again")
    assert one.gauge("dependency_up", dependency="redis") == 1
    # Each change is told once; on a busy machine Redis may have been missed one time more.
    assert one.events().count("dependency_down") >= 2
    told = [event for event in one.events() if event in ("revocation_degraded", "revocation_restored")]
    assert told == ["revocation_degraded", "revocation_restored"] * (len(told) // 2 or 1)


async def test_another_width_is_taught_anew_before_the_old_one_is_dropped(ships: Fleet) -> None:
    instances = await ships.instances(2)
    revoked = [token(at) for at in range(20)]
    for one in revoked:
        await instances[0].revoke(one)
    for one in instances:
        one.offer("revocation: {short_hash_bytes: 4}")

    def width() -> int:
        return min(one.core.revocations.epoch.width if one.core.revocations.epoch else 99 for one in instances)

    await until(lambda: width() == 4, "an epoch of the new width")
    keys = [f"revoked:{one.digest[:4].hex()}" for one in revoked]
    assert ships.client.exists(*keys) == len(keys)
    await all_refuse(instances, revoked)
    assert {one.replica.width for one in instances} == {4}


async def test_a_second_load_of_the_stream_is_not_needed_to_go_on(ships: Fleet) -> None:
    one, other = await ships.instances(2)
    stood = heard(other)
    await one.revoke(token())
    await until(lambda: heard(other) > stood, "it has heard")
    assert one.core.revocations.age < 60
