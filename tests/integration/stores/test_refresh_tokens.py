"""Conformance of ``RefreshTokenStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.errors import Conflict
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.token import HeldRefreshToken, RefreshToken, TokenFamily
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import (
    AWKWARD,
    LONG_ID,
    SOME_TIME,
    a_family,
    a_refresh_token,
    an_event,
    cutting,
)

ENDED = SOME_TIME + timedelta(minutes=5, microseconds=7)


def ending(family: TokenFamily, reason: str = "replay") -> Consequences:
    cut = Cut(CutKind.FAMILY, family.family_id, reason, expires_at=SOME_TIME + timedelta(days=1))
    return Consequences(events=[an_event(reason=reason)], cuts=[cut])


async def opened(stores: Stores, **changes: object) -> tuple[TokenFamily, RefreshToken]:
    family = a_family(**changes)
    first = a_refresh_token(family.family_id, f"{family.family_id}-0")
    await stores.refresh_tokens.open_family(family, first)
    return family, first


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(a_family(), id="of a user"),
        pytest.param(a_family(scope=Scope(), audience=(), sign_in={}), id="bare"),
        pytest.param(
            a_family(family_id=FamilyId("f" * 64), client_id=ClientId(LONG_ID), subject=Subject(AWKWARD)), id="awkward"
        ),
        pytest.param(a_family(ended_at=ENDED, end_reason=AWKWARD), id="ended"),
    ],
)
async def test_a_family_is_read_as_it_was_written(stores: Stores, family: TokenFamily) -> None:
    first = a_refresh_token(family.family_id, "s" * 32, spent_at=ENDED, sealed_answer=bytes(range(256)))
    await stores.refresh_tokens.open_family(family, first)
    assert await stores.refresh_tokens.find("s" * 32) == HeldRefreshToken(first, family)
    assert await stores.refresh_tokens.find("S" * 32) is None


async def test_a_taken_family_or_selector_is_a_conflict_and_keeps_nothing(stores: Stores) -> None:
    family, first = await opened(stores)
    with pytest.raises(Conflict):
        await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, "other"))
    assert await stores.refresh_tokens.find("other") is None
    other = a_family()
    with pytest.raises(Conflict):
        await stores.refresh_tokens.open_family(other, replace(first, family_id=other.family_id))
    assert not await stores.refresh_tokens.end_family(other.family_id, ENDED, ending(other))


async def test_rotation_spends_the_token_and_keeps_its_successor(stores: Stores) -> None:
    family, first = await opened(stores)
    successor = a_refresh_token(family.family_id, "next", issued_at=ENDED)
    assert await stores.refresh_tokens.rotate(first, successor, b"\x00sealed\xff")
    spent = replace(first, spent_at=ENDED, sealed_answer=b"\x00sealed\xff")
    assert await stores.refresh_tokens.find(first.selector) == HeldRefreshToken(spent, family)
    assert await stores.refresh_tokens.find("next") == HeldRefreshToken(successor, family)


async def test_a_spent_token_is_not_rotated_again(stores: Stores) -> None:
    family, first = await opened(stores)
    assert await stores.refresh_tokens.rotate(first, a_refresh_token(family.family_id, "next"), None)
    held = await stores.refresh_tokens.find(first.selector)
    assert not await stores.refresh_tokens.rotate(first, a_refresh_token(family.family_id, "branch"), b"other answer")
    assert await stores.refresh_tokens.find(first.selector) == held
    assert await stores.refresh_tokens.find("branch") is None


async def test_an_unknown_token_is_not_rotated(stores: Stores) -> None:
    family, _ = await opened(stores)
    unknown = a_refresh_token(family.family_id, "unknown")
    assert not await stores.refresh_tokens.rotate(unknown, a_refresh_token(family.family_id, "next"), None)
    assert await stores.refresh_tokens.find("next") is None


async def test_of_a_hundred_racing_rotations_one_wins(processes: tuple[Stores, Stores]) -> None:
    family, first = await opened(processes[0])
    successors = [a_refresh_token(family.family_id, f"next-{number}") for number in range(100)]
    rotations = [
        processes[n % 2].refresh_tokens.rotate(first, successor, str(n).encode())
        for n, successor in enumerate(successors)
    ]
    answers = await asyncio.gather(*rotations)
    assert answers.count(True) == 1
    won = answers.index(True)
    held = await processes[0].refresh_tokens.find(first.selector)
    assert held is not None
    assert held.token.sealed_answer == str(won).encode()
    found = [await processes[0].refresh_tokens.find(successor.selector) for successor in successors]
    assert [number for number, token in enumerate(found) if token] == [won]


async def test_a_family_ends_once(stores: Stores) -> None:
    family, first = await opened(stores)
    assert await stores.refresh_tokens.end_family(family.family_id, ENDED, ending(family))
    assert not await stores.refresh_tokens.end_family(family.family_id, ENDED, ending(family, "again"))
    held = await stores.refresh_tokens.find(first.selector)
    assert held is not None
    assert held.family == replace(family, ended_at=ENDED, end_reason="replay")
    assert await stores.revocations.all_cuts(SOME_TIME) == list(ending(family).cuts)
    assert len(await stores.proven_rows()) == 1


async def test_nothing_is_rotated_in_an_ended_family(stores: Stores) -> None:
    family, first = await opened(stores)
    await stores.refresh_tokens.end_family(family.family_id, ENDED, ending(family))
    assert not await stores.refresh_tokens.rotate(first, a_refresh_token(family.family_id, "next"), b"answer")
    held = await stores.refresh_tokens.find(first.selector)
    assert held is not None
    assert held.token == first
    assert await stores.refresh_tokens.find("next") is None


async def test_no_token_outlives_the_end_of_its_family(processes: tuple[Stores, Stores]) -> None:
    rotating, ends = processes

    async def rotate_on(token: RefreshToken) -> list[RefreshToken]:
        chain = [token]
        while len(chain) < 20:
            successor = replace(token, selector=f"{token.family_id}-{len(chain)}")
            if not await rotating.refresh_tokens.rotate(chain[-1], successor, None):
                break
            chain.append(successor)
        return chain

    for delay in range(50):
        family, first = await opened(rotating)
        rotation = asyncio.ensure_future(rotate_on(first))
        for _ in range(delay):
            await asyncio.sleep(0)
        assert await ends.refresh_tokens.end_family(family.family_id, ENDED, ending(family))
        chain = await rotation
        newest = await ends.refresh_tokens.find(chain[-1].selector)
        assert newest is not None
        assert newest.family.ended_at == ENDED
        assert not await rotating.refresh_tokens.rotate(chain[-1], replace(first, selector="born-dead"), None)
        assert await ends.refresh_tokens.find(f"{family.family_id}-{len(chain)}") is None
    assert len(await ends.proven_rows()) == 50


async def test_a_family_may_be_ended_and_cut_at_once(processes: tuple[Stores, Stores]) -> None:
    for _ in range(30):
        family, first = await opened(processes[0])
        ended, _ = await asyncio.gather(
            processes[0].refresh_tokens.end_family(family.family_id, ENDED, ending(family)),
            processes[1].revocations.cut(ending(family, "cut")),
        )
        held = await processes[0].refresh_tokens.find(first.selector)
        assert held is not None
        assert held.family.end_reason == ("replay" if ended else "cut")


UNDER = [
    pytest.param(CutKind.FAMILY, "{family_id}", id="family"),
    pytest.param(CutKind.SESSION, "session-1", id="session"),
    pytest.param(CutKind.SUBJECT, "usr_ada", id="subject"),
    pytest.param(CutKind.CLIENT, "shop", id="client"),
    pytest.param(CutKind.EVERYTHING, "", id="everything"),
]


@pytest.mark.parametrize(("kind", "value"), UNDER)
@pytest.mark.parametrize(
    ("extent", "ended"),
    [
        pytest.param({}, True, id="whole"),
        pytest.param({"until_now": True}, True, id="until now"),
        pytest.param({"up_to": SOME_TIME}, True, id="up to its approval"),
        pytest.param({"up_to": SOME_TIME - timedelta(microseconds=1)}, False, id="up to just before its approval"),
    ],
)
async def test_a_cut_ends_the_families_under_it(
    stores: Stores, kind: CutKind, value: str, extent: dict[str, object], ended: bool
) -> None:
    family, first = await opened(stores)
    await stores.revocations.cut(cutting(kind, value.format(family_id=family.family_id), **extent))
    held = await stores.refresh_tokens.find(first.selector)
    assert held is not None
    assert (held.family.ended_at is not None) is ended
    assert held.family.end_reason == ("a reason" if ended else "")


@pytest.mark.parametrize(
    ("kind", "value"),
    [*((kind, "another") for kind in CutKind if kind is not CutKind.EVERYTHING), (CutKind.KEY, "shop")],
)
async def test_a_cut_of_something_else_ends_no_family(stores: Stores, kind: CutKind, value: str) -> None:
    family, first = await opened(stores)
    await stores.revocations.cut(cutting(kind, value))
    assert await stores.refresh_tokens.find(first.selector) == HeldRefreshToken(first, family)


async def test_a_cut_leaves_ended_families_as_they_were(stores: Stores) -> None:
    family, first = await opened(stores)
    await stores.refresh_tokens.end_family(family.family_id, ENDED, ending(family))
    await stores.revocations.cut(cutting(CutKind.CLIENT, "shop"))
    held = await stores.refresh_tokens.find(first.selector)
    assert held is not None
    assert (held.family.ended_at, held.family.end_reason) == (ENDED, "replay")
