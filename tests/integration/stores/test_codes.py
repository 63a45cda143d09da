"""Conformance of the stores of codes, pushed requests and pairwise subjects."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.authorization import AuthorizationCode, PushedRequest
from authcenter.core.cut import NO_CONSEQUENCES, CutKind
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import (
    AWKWARD,
    SOME_TIME,
    a_family,
    a_refresh_token,
    a_session,
    cutting,
    recorded,
)

DIGEST, OTHER, COOKIE = Digest(bytes(range(32))), Digest(bytes(range(1, 33))), Digest(b"c" * 32)
LATER = SOME_TIME + timedelta(seconds=30)


def a_code(**changes: Any) -> AuthorizationCode:
    code = AuthorizationCode(
        digest=DIGEST,
        client_id=ClientId("shop"),
        redirect_uri="https://shop.example/cb?a=ü",
        code_challenge="c" * 43,
        nonce=AWKWARD * 20,
        scope=Scope.parse("openid email"),
        audience=("https://api.example", "https://auth.example"),
        subject=Subject("usr_ada"),
        sign_in={"sid": "session", "auth_time": 1, "amr": ["pwd"]},
        claims={"userinfo": {"name": None}, "id_token": {"acr": {"values": [AWKWARD]}}},
        refreshable=True,
        family_id=FamilyId("family"),
        issued_at=SOME_TIME,
        expires_at=LATER,
        known_as="pairwise",
        dpop_jkt="jkt",
    )
    return replace(code, **changes)


@pytest.fixture(autouse=True)
async def session(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(a_code(), id="whole"),
        pytest.param(
            a_code(
                redirect_uri=None,
                code_challenge=None,
                nonce=None,
                scope=Scope(),
                sign_in={},
                claims={},
                refreshable=False,
                known_as=None,
                dpop_jkt=None,
            ),
            id="bare",
        ),
    ],
)
async def test_a_code_is_read_as_it_was_written(stores: Stores, code: AuthorizationCode) -> None:
    assert await stores.codes.add(code, recorded())
    assert await stores.codes.find(DIGEST) == code
    assert await stores.codes.find(OTHER) is None
    assert await stores.sessions.clients_of("session") == (["shop"] if code.sign_in else [])
    assert len(await stores.proven_rows()) == 1


async def test_of_many_redemptions_one_wins_and_opens_the_family(stores: Stores) -> None:
    await stores.codes.add(a_code(), NO_CONSEQUENCES)
    family = a_family(family_id=FamilyId("family"), known_as="pairwise", claims={"userinfo": {"name": None}})
    first = a_refresh_token("family", "first")
    won = await asyncio.gather(*(stores.codes.redeem(DIGEST, LATER, family, first) for _ in range(10)))
    assert won.count(True) == 1
    assert await stores.codes.find(DIGEST) == a_code(spent_at=LATER)
    assert await stores.refresh_tokens.find_family("family") == family
    assert (await stores.refresh_tokens.find("first")).family == family


async def test_a_code_without_a_refresh_token_opens_a_family_all_the_same(stores: Stores) -> None:
    await stores.codes.add(a_code(), NO_CONSEQUENCES)
    assert await stores.codes.redeem(DIGEST, LATER, a_family(family_id=FamilyId("family")), None)
    assert await stores.refresh_tokens.find_family("family") is not None
    assert await stores.refresh_tokens.find_family("other") is None


async def test_an_unknown_code_opens_nothing(stores: Stores) -> None:
    assert not await stores.codes.redeem(OTHER, LATER, a_family(family_id=FamilyId("family")), None)
    assert await stores.refresh_tokens.find_family("family") is None


async def test_no_family_is_opened_in_a_session_that_has_ended(stores: Stores) -> None:
    await stores.codes.add(a_code(), NO_CONSEQUENCES)
    family = a_family(family_id=FamilyId("family"), sign_in=a_code().sign_in)
    redeeming = stores.codes.redeem(DIGEST, LATER, family, a_refresh_token("family", "first"))
    ending = stores.sessions.end("session", LATER, cutting(CutKind.SESSION, "session"))
    await asyncio.gather(ending, redeeming)
    # Whichever came first, nothing of it lives.
    opened = await stores.refresh_tokens.find_family("family")
    assert opened is None or opened.ended_at is not None
    await stores.codes.add(a_code(digest=OTHER, family_id=FamilyId("late")), NO_CONSEQUENCES)
    late = a_family(family_id=FamilyId("late"), sign_in=a_code().sign_in)
    assert not await stores.codes.redeem(OTHER, LATER, late, None)
    assert (await stores.codes.find(OTHER)).spent_at is None


PUSHED = PushedRequest(OTHER, ClientId("shop"), {"scope": AWKWARD}, ("https://api.example",), LATER)


async def test_a_pushed_request_is_read_as_it_was_written_and_spent_by_one_code(stores: Stores) -> None:
    await stores.pushed.add(PUSHED)
    assert await stores.pushed.find(OTHER) == PUSHED
    assert await stores.pushed.find(DIGEST) is None
    codes = [a_code(digest=Digest(bytes([number]) * 32)) for number in range(1, 51)]
    added = await asyncio.gather(*(stores.codes.add(code, recorded(), pushed=OTHER) for code in codes))
    assert added.count(True) == 1
    assert [await stores.codes.find(code.digest) is not None for code in codes] == added
    assert (await stores.pushed.find(OTHER)).spent_at == SOME_TIME
    assert len(await stores.proven_rows()) == 1


async def test_a_code_for_a_request_nobody_pushed_is_not_kept(stores: Stores) -> None:
    assert not await stores.codes.add(a_code(), NO_CONSEQUENCES, pushed=OTHER)
    assert await stores.codes.find(DIGEST) is None


async def test_a_person_has_one_name_in_a_sector_for_good(stores: Stores) -> None:
    names = await asyncio.gather(*(stores.pairwise.known_as("usr_ada", "shop.example", f"n{n}") for n in range(5)))
    assert len(set(names)) == 1
    assert await stores.pairwise.known_as("usr_ada", "shop.example", "later") == names[0]
    assert await stores.pairwise.known_as("usr_ada", "mail.example", "elsewhere") == "elsewhere"
    assert await stores.pairwise.known_as("usr_bob", "shop.example", "bob") == "bob"


async def test_who_is_cut_off_is_cut_off_under_pairwise_names_too(stores: Stores) -> None:
    for name in ("pairwise", None):
        family = a_family(subject=Subject("usr_ada"), known_as=name, expires_at=SOME_TIME + timedelta(days=36_500))
        await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, f"of {name}"))
    await stores.revocations.cut(cutting(CutKind.SUBJECT, "usr_ada", until_now=True))
    hidden = (await stores.refresh_tokens.find("of pairwise")).family
    cuts = {(cut.kind, cut.value): cut for cut in await stores.revocations.all_cuts(SOME_TIME)}
    assert set(cuts) == {(CutKind.SUBJECT, "usr_ada"), (CutKind.FAMILY, hidden.family_id)}
    assert cuts[CutKind.FAMILY, hidden.family_id].up_to is None
    assert cuts[CutKind.FAMILY, hidden.family_id].expires_at is not None
