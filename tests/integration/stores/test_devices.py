"""Conformance of the store of device authorizations."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.device import DeviceAnswer, DeviceAuthorization
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_family, a_refresh_token, a_session, recorded

DIGEST, OTHER, USER, OTHER_USER = (Digest(bytes([number]) * 32) for number in range(4))
LATER = SOME_TIME + timedelta(minutes=10)
SIGN_IN = {"sid": "session", "auth_time": 1, "amr": ["pwd"], "acr": AWKWARD}
YES = DeviceAnswer(True, SOME_TIME + timedelta(microseconds=1), Subject("usr_ada"), SIGN_IN, "pairwise")
NO = DeviceAnswer(False, SOME_TIME, Subject("usr_ada"), {}, None)


def a_device(**changes: Any) -> DeviceAuthorization:
    device = DeviceAuthorization(
        digest=DIGEST,
        user_code_digest=USER,
        client_id=ClientId("tv"),
        scope=Scope.parse("openid email"),
        audience=("https://api.example", "https://auth.example"),
        family_id=FamilyId("family"),
        issued_at=SOME_TIME,
        expires_at=LATER,
        interval_seconds=5,
    )
    return replace(device, **changes)


def after(seconds: float) -> Any:
    return SOME_TIME + timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
async def session(stores: Stores) -> None:
    await stores.sessions.add(a_session(), Digest(b"c" * 32), NO_CONSEQUENCES)


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(a_device(), id="new"),
        pytest.param(a_device(scope=Scope(), audience=()), id="bare"),
        pytest.param(
            a_device(polled_at=LATER, hurried=True, interval_seconds=4_000, answer=YES, spent_at=LATER), id="whole"
        ),
        pytest.param(a_device(answer=NO), id="refused"),
    ],
)
async def test_what_is_added_is_found_by_either_code(
    processes: tuple[Stores, Stores], device: DeviceAuthorization
) -> None:
    one, other = processes
    await one.device_codes.add(device)
    assert await other.device_codes.find(DIGEST) == device
    assert await other.device_codes.find_asked([OTHER_USER, USER]) == device
    assert await other.device_codes.find(OTHER) is None
    assert await other.device_codes.find_asked([OTHER_USER]) is None


@pytest.mark.parametrize("taken", [a_device(user_code_digest=OTHER_USER), a_device(digest=OTHER)], ids=["code", "user"])
async def test_a_code_is_given_once(stores: Stores, taken: DeviceAuthorization) -> None:
    await stores.device_codes.add(a_device())
    with pytest.raises(Conflict):
        await stores.device_codes.add(taken)
    assert await stores.device_codes.find(DIGEST) == a_device()


async def test_who_asks_too_early_is_slowed_down_for_good(stores: Stores) -> None:
    await stores.device_codes.add(a_device())
    polls = []
    for seconds in (0, 5, 9.999_999, 19.999_998, 34.999_998):
        polled = await stores.device_codes.poll(DIGEST, "tv", after(seconds))
        assert polled.polled_at == after(seconds)
        polls.append((polled.hurried, polled.interval_seconds))
    assert polls == [(False, 5), (False, 5), (True, 10), (True, 15), (False, 15)]
    assert await stores.device_codes.find(DIGEST) == a_device(polled_at=after(34.999_998), interval_seconds=15)


async def test_an_interval_grown_long_is_counted_all_the_same(stores: Stores) -> None:
    await stores.device_codes.add(a_device(interval_seconds=100_000, polled_at=SOME_TIME))
    assert (await stores.device_codes.poll(DIGEST, "tv", after(99_999))).hurried


async def test_of_many_polls_at_once_one_comes_in_time(processes: tuple[Stores, Stores]) -> None:
    await processes[0].device_codes.add(a_device())
    polls = await asyncio.gather(*(processes[n % 2].device_codes.poll(DIGEST, "tv", SOME_TIME) for n in range(12)))
    assert [polled.hurried for polled in polls].count(False) == 1
    assert (await processes[0].device_codes.find(DIGEST)).interval_seconds == 5 + 11 * 5


async def test_another_client_neither_sees_it_nor_slows_it_down(stores: Stores) -> None:
    await stores.device_codes.add(a_device())
    assert await stores.device_codes.poll(DIGEST, "shop", SOME_TIME) is None
    assert await stores.device_codes.poll(OTHER, "tv", SOME_TIME) is None
    assert await stores.device_codes.find(DIGEST) == a_device()


@pytest.mark.parametrize(("answer", "clients"), [(YES, ["tv"]), (replace(NO, sign_in=SIGN_IN), [])], ids=["yes", "no"])
async def test_it_is_answered_once(stores: Stores, answer: DeviceAnswer, clients: list[str]) -> None:
    await stores.device_codes.add(a_device())
    told = recorded(EventKind.DEVICE_ANSWERED)
    answers = await asyncio.gather(*(stores.device_codes.answer(DIGEST, answer, told) for _ in range(6)))
    assert answers.count(True) == 1
    assert (await stores.device_codes.find(DIGEST)).answer == answer
    assert await stores.sessions.clients_of("session") == clients
    assert [row.event for row in await stores.proven_rows()] == [EventKind.DEVICE_ANSWERED]


async def test_what_has_lapsed_is_not_answered(stores: Stores) -> None:
    await stores.device_codes.add(a_device())
    late = replace(YES, at=LATER)
    assert not await stores.device_codes.answer(DIGEST, late, recorded(EventKind.DEVICE_ANSWERED))
    assert not await stores.device_codes.answer(OTHER, YES, NO_CONSEQUENCES)
    assert await stores.device_codes.find(DIGEST) == a_device()
    assert await stores.proven_rows() == []


@pytest.mark.parametrize("refreshable", [True, False])
async def test_of_many_redemptions_one_wins_and_opens_the_family(
    processes: tuple[Stores, Stores], refreshable: bool
) -> None:
    one, other = processes
    await one.device_codes.add(a_device(answer=YES))
    family = a_family(family_id=FamilyId("family"))
    first = a_refresh_token(family.family_id, "selector") if refreshable else None
    redeemed = await asyncio.gather(
        *((one, other)[n % 2].device_codes.redeem(DIGEST, LATER, family, first) for n in range(10))
    )
    assert redeemed.count(True) == 1
    assert await other.refresh_tokens.find_family("family") == family
    assert (await other.refresh_tokens.find("selector") is not None) is refreshable
    assert (await other.device_codes.find(DIGEST)).spent_at == LATER


async def test_a_redemption_that_fails_spends_nothing(stores: Stores) -> None:
    family = a_family(family_id=FamilyId("family"))
    await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, "selector"))
    await stores.device_codes.add(a_device(answer=YES))
    with pytest.raises(Conflict):
        await stores.device_codes.redeem(DIGEST, LATER, family, None)
    assert (await stores.device_codes.find(DIGEST)).spent_at is None
