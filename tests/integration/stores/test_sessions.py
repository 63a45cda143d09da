"""Conformance of ``SessionStore`` and ``ConsentStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.consent import Consent
from authcenter.core.cut import NO_CONSEQUENCES, Consequences, CutKind
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, Subject
from authcenter.core.scope import Scope
from authcenter.core.session import Room
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_family, a_refresh_token, a_session, cutting, recorded

COOKIE, OTHER = Digest(bytes(range(32))), Digest(bytes(range(1, 33)))
LATER = SOME_TIME + timedelta(minutes=5)


async def changed(stores: Stores) -> set[str]:
    return {key for kind, key, _ in await stores.changes.recent_changes(60) if kind == "session"}


async def test_a_session_is_read_as_it_was_written(stores: Stores) -> None:
    session = a_session()
    await stores.sessions.add(session, COOKIE, recorded())
    assert await stores.sessions.find(COOKIE.hex()) == session
    assert await stores.sessions.get("session") == session
    assert await stores.sessions.find(OTHER.hex()) is None
    assert await stores.sessions.get("other") is None
    assert len(await stores.proven_rows()) == 1


async def test_those_of_a_person_are_listed_the_most_recently_used_first(stores: Stores) -> None:
    for number in range(3):
        used = a_session(f"s{number}", last_active_at=SOME_TIME + timedelta(minutes=number))
        await stores.sessions.add(used, Digest(bytes([number]) * 32), NO_CONSEQUENCES)
    await stores.sessions.add(a_session("foreign", subject=Subject("usr_bob")), COOKIE, NO_CONSEQUENCES)
    await stores.sessions.end("s1", LATER, NO_CONSEQUENCES)
    assert [session.session_id for session in await stores.sessions.list_of("usr_ada")] == ["s2", "s0"]


async def test_a_new_sign_in_brings_a_new_cookie_and_the_old_one_is_dead(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    again = a_session(auth_time=LATER, acr="other", amr=("hwk",))
    assert await stores.sessions.renew(again, OTHER, recorded())
    assert await stores.sessions.find(OTHER.hex()) == again
    assert await stores.sessions.find(COOKIE.hex()) is None
    assert await changed(stores) == {COOKIE.hex()}


ALIVE = (SOME_TIME + timedelta(hours=1), SOME_TIME - timedelta(hours=7))
"""At, and used since."""


async def held(stores: Stores, *session_ids: str) -> None:
    for number, session_id in enumerate(session_ids):
        await stores.sessions.add(a_session(session_id), Digest(bytes([number]) * 32), NO_CONSEQUENCES)


@pytest.mark.parametrize(
    ("most", "replaced", "fits"),
    [
        pytest.param(3, (), True, id="there is room"),
        pytest.param(2, (), False, id="there is none"),
        pytest.param(2, ("s0",), True, id="one gives way"),
        pytest.param(1, ("s0",), False, id="one gives way, which is too few"),
        pytest.param(1, ("s0", "s1"), True, id="all give way"),
        pytest.param(9, ("gone",), False, id="what was to give way has ended meanwhile"),
    ],
)
async def test_a_session_is_kept_where_there_is_room(
    stores: Stores, most: int, replaced: tuple[str, ...], fits: bool
) -> None:
    await held(stores, "s0", "s1", "gone")
    await stores.sessions.end("gone", LATER, NO_CONSEQUENCES)
    others = {
        "bobs": a_session("bobs", subject=Subject("usr_bob")),
        "lapsed": a_session("lapsed", expires_at=ALIVE[0]),
        "idle": a_session("idle", last_active_at=ALIVE[1]),
    }
    for number, other in enumerate(others.values(), 100):
        await stores.sessions.add(other, Digest(bytes([number]) * 32), NO_CONSEQUENCES)
    room = Room(most, *ALIVE, frozenset(replaced))
    cuts = tuple(cutting(CutKind.SESSION, one).cuts[0] for one in replaced)
    consequences = Consequences(events=recorded().events, cuts=cuts)
    assert await stores.sessions.add(a_session("new"), COOKIE, consequences, room) is fits
    theirs = {one.session_id for one in await stores.sessions.list_of("usr_ada")} - others.keys()
    assert theirs == ({"s0", "s1", "new"} - set(replaced) if fits else {"s0", "s1"})
    assert len(await stores.proven_rows()) == fits


async def test_those_that_are_alive_are_counted(stores: Stores) -> None:
    await held(stores, "s0", "s1", "gone")
    await stores.sessions.end("gone", LATER, NO_CONSEQUENCES)
    assert await stores.sessions.count_alive(*ALIVE) == 2
    assert await stores.sessions.count_alive(a_session().expires_at, ALIVE[1]) == 0
    assert await stores.sessions.count_alive(ALIVE[0], a_session().last_active_at) == 0


async def test_an_ended_session_is_not_renewed(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    await stores.sessions.end("session", LATER, NO_CONSEQUENCES)
    assert not await stores.sessions.renew(a_session(), OTHER, recorded())
    assert await stores.sessions.find(OTHER.hex()) is None
    assert await stores.proven_rows() == []


async def test_use_is_noted_and_never_goes_back(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    await stores.sessions.touch("session", LATER)
    await stores.sessions.touch("session", SOME_TIME)
    await stores.sessions.touch("nobody", LATER)
    assert await stores.sessions.get("session") == a_session(last_active_at=LATER)


async def test_a_session_ends_once_with_its_families(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    family = a_family(sign_in={"sid": "session"})
    await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, "first"))
    consequences = cutting(CutKind.SESSION, "session")
    ended = await asyncio.gather(*(stores.sessions.end("session", LATER, consequences) for _ in range(5)))
    assert sorted(ended) == [False, False, False, False, True]
    assert await stores.sessions.get("session") == a_session(ended_at=LATER)
    held = await stores.refresh_tokens.find("first")
    assert held is not None
    assert held.family.ended_at is not None
    assert await changed(stores) == {COOKIE.hex()}


@pytest.mark.parametrize(
    ("consequences", "survives"),
    [
        pytest.param(cutting(CutKind.SUBJECT, "usr_ada"), False, id="the person was disabled"),
        pytest.param(cutting(CutKind.SUBJECT, "usr_ada", until_now=True), False, id="logged out everywhere"),
        pytest.param(cutting(CutKind.EVERYTHING, "", up_to=SOME_TIME), False, id="everything up to then"),
        pytest.param(cutting(CutKind.EVERYTHING, "", up_to=SOME_TIME - timedelta(seconds=1)), True, id="before it"),
        pytest.param(cutting(CutKind.SUBJECT, "usr_bob"), True, id="somebody else"),
        pytest.param(cutting(CutKind.CLIENT, "shop"), True, id="a client"),
    ],
)
async def test_what_is_cut_off_ends_with_its_cut(stores: Stores, consequences: Consequences, survives: bool) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    await stores.revocations.cut(consequences)
    session = await stores.sessions.find(COOKIE.hex())
    assert session is not None
    assert (session.ended_at is None) is survives
    assert await changed(stores) == (set() if survives else {COOKIE.hex()})


async def test_the_clients_of_a_session_are_remembered_once_each(stores: Stores) -> None:
    await stores.sessions.add(a_session(), COOKIE, NO_CONSEQUENCES)
    for number, client in enumerate(["shop", "mail", "shop"]):
        await stores.sessions.note_client("session", client, SOME_TIME + timedelta(seconds=number))
    assert await stores.sessions.clients_of("session") == ["shop", "mail"]
    assert await stores.sessions.clients_of("other") == []


def a_consent(**changes: object) -> Consent:
    consent = Consent(
        subject=Subject("usr_ada"),
        client_id=ClientId("shop"),
        scope=Scope.parse("openid email"),
        claims=frozenset({"name", AWKWARD}),
        resources=frozenset({"https://api.example"}),
        granted_at=SOME_TIME,
        updated_at=SOME_TIME,
    )
    return replace(consent, **changes)


async def test_a_consent_is_read_as_it_was_written(stores: Stores) -> None:
    await stores.consents.put(a_consent(), recorded())
    assert await stores.consents.find("usr_ada", "shop") == a_consent()
    assert await stores.consents.find("usr_ada", "mail") is None
    assert await stores.consents.list_of("usr_ada") == [a_consent()]
    assert len(await stores.proven_rows()) == 1


async def test_a_later_consent_takes_the_place_of_the_former_and_keeps_its_beginning(stores: Stores) -> None:
    await stores.consents.put(a_consent(), NO_CONSEQUENCES)
    wider = a_consent(scope=Scope.parse("openid"), claims=frozenset(), granted_at=LATER, updated_at=LATER)
    await stores.consents.put(wider, NO_CONSEQUENCES)
    assert await stores.consents.find("usr_ada", "shop") == replace(wider, granted_at=SOME_TIME)


async def test_a_consent_is_withdrawn_once(stores: Stores) -> None:
    await stores.consents.put(a_consent(), NO_CONSEQUENCES)
    assert await stores.consents.remove("usr_ada", "shop", recorded())
    assert not await stores.consents.remove("usr_ada", "shop", recorded())
    assert await stores.consents.find("usr_ada", "shop") is None
    assert len(await stores.proven_rows()) == 1
