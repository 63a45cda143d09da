"""A client gives back a token (RFC 7009)."""

import pytest

from authcenter.core.errors import StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from tests.forgery import forged
from tests.workbench import Workbench


async def test_an_access_token_alone(bench: Workbench) -> None:
    answer = await bench.issue()
    assert await bench.revoke(answer.access) is None
    assert not await bench.active(answer.access)
    assert await bench.active(answer.refresh)
    assert bench.counted("revocation_total", kind="access_token") == 1


async def test_a_refresh_token_with_its_whole_family(bench: Workbench) -> None:
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    assert await bench.revoke(second.refresh) is None
    for token in (first.access, second.access, second.refresh):
        assert not await bench.active(token)
    assert EventKind.FAMILY_ENDED in bench.kinds()
    assert bench.counted("revocation_total", kind="family") == 1


async def test_a_spent_refresh_token_ends_its_family_too(bench: Workbench) -> None:
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    assert await bench.revoke(first.refresh) is None
    assert not await bench.active(second.access)


async def test_twice_is_once(bench: Workbench) -> None:
    answer = await bench.issue()
    for _ in range(2):
        assert await bench.revoke(answer.refresh) is None
        assert await bench.revoke(answer.access) is None
    assert bench.kinds().count(EventKind.FAMILY_ENDED) == 1
    assert bench.kinds().count(EventKind.TOKEN_REVOKED) == 1


async def test_what_is_not_revoked_and_why(bench: Workbench, waits: list[float]) -> None:
    answer = await bench.issue()
    before = bench.record.tables
    for token, client, rule in (
        (answer.access, "other", Rule.CALLER_NOT_ENTITLED),
        (answer.refresh, "other", Rule.REFRESH_FOREIGN),
        ("acr_" + "a" * 22 + "." + "b" * 43, "app", Rule.REFRESH_UNKNOWN),
        ("whatever", "app", Rule.TOKEN_MALFORMED),
        (answer.access[:-8] + "AAAAAAAA", "app", Rule.TOKEN_SIGNATURE),
        (forged(bench.signer, header={"kid": "x"}), "app", Rule.TOKEN_KID),
    ):
        verdict = await bench.revoke(token, client)
        assert verdict is not None
        assert verdict[0] is rule
    assert bench.record.tables is before
    assert await bench.active(answer.access)
    assert await bench.active(answer.refresh)


async def test_an_expired_access_token_is_not_stored(bench: Workbench) -> None:
    answer = await bench.issue()
    bench.clock.advance(10_000)
    assert await bench.revoke(answer.access) is None
    assert bench.record.tables.revoked == {}


@pytest.mark.parametrize("kind", ["access", "refresh"])
async def test_without_the_record_nothing_is_acknowledged(bench: Workbench, kind: str) -> None:
    token = getattr(await bench.issue(), kind)
    caller = await bench.core.clients.get("app")
    bench.board.down = True
    surrender = bench._endpoint("revoke").surrender
    with pytest.raises(StoreUnavailable):
        await surrender.surrender(token, caller, None)
    bench.board.down = False
    assert await bench.active(token)
