"""Conformance of ``SignUpStore``: a link opens one account, and an address or a name belongs to one."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Conflict
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import Subject
from authcenter.core.job import Job
from authcenter.core.sign_up import SignUpLink, sign_up_digest
from authcenter.core.user import User
from tests.integration.stores.backends import Stores

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MADE = Consequences(events=(Event(EventKind.USER_CREATED, "tests"),))


def a_link(name: str, email: str = "jo@example.com") -> SignUpLink:
    return SignUpLink(sign_up_digest(name.encode()), email, NOW, NOW + HOUR)


def a_user(name: str, email: str = "jo@example.com") -> User:
    return User(Subject(f"usr_{name}"), name, email, True, frozenset(), NOW, NOW)


async def opened(stores: Stores, link: SignUpLink, user: User, at: datetime = NOW) -> bool | str:
    try:
        return await stores.sign_ups.open(link.digest, at, user, "hash", MADE)
    except Conflict:
        return "conflict"


async def test_what_is_kept_is_found_and_brings_its_mail(stores: Stores) -> None:
    link = a_link("a")
    assert await stores.sign_ups.add(link, Consequences(jobs=(Job("mail", {}),)))
    again = replace(link, expires_at=NOW + 2 * HOUR)
    assert not await stores.sign_ups.add(again, Consequences(jobs=(Job("mail", {}),))), "it is there already"
    assert await stores.sign_ups.find(link.digest) == link
    assert await stores.sign_ups.find(sign_up_digest(b"b")) is None
    assert await stores.outbox.depth() == 1


async def test_a_link_opens_an_account_with_its_event_and_ends_the_others_of_its_address(stores: Stores) -> None:
    own, other, strange = a_link("a"), a_link("b", "JO@Example.com"), a_link("c", "max@example.com")
    for link in (own, other, strange):
        await stores.sign_ups.add(link, NO_CONSEQUENCES)
    user = a_user("jo")
    assert await opened(stores, own, user) is True
    assert await stores.users.find(user.subject) == user
    assert [row.event for row in await stores.proven_rows()] == ["user.created"]
    assert await stores.sign_ups.find(own.digest) == replace(own, spent_at=NOW)
    assert await stores.sign_ups.find(other.digest) == replace(other, spent_at=NOW)
    assert await stores.sign_ups.find(strange.digest) == strange


@pytest.mark.parametrize(
    ("link", "user", "at"),
    [
        pytest.param(a_link("unknown"), a_user("jo"), NOW, id="unknown"),
        pytest.param(a_link("a"), a_user("jo"), NOW + HOUR, id="lapsed"),
        pytest.param(a_link("a"), a_user("jo", "max@example.com"), NOW, id="of another address"),
    ],
)
async def test_a_link_that_does_not_hold_opens_nothing(
    stores: Stores, link: SignUpLink, user: User, at: datetime
) -> None:
    await stores.sign_ups.add(a_link("a"), NO_CONSEQUENCES)
    assert await opened(stores, link, user, at) is False
    assert await stores.users.find(user.subject) is None
    assert await stores.sign_ups.find(a_link("a").digest) == a_link("a")
    assert await stores.proven_rows() == []


@pytest.mark.parametrize(
    "there", [a_user("JO", "max@example.com"), a_user("max", "Jo@example.com")], ids=["the name", "the address"]
)
async def test_what_is_taken_leaves_the_link_as_it_is(stores: Stores, there: User) -> None:
    await stores.users.add(there, "hash")
    link = a_link("a")
    await stores.sign_ups.add(link, NO_CONSEQUENCES)
    assert await opened(stores, link, a_user("jo")) == "conflict"
    assert await stores.sign_ups.find(link.digest) == link
    assert len(await stores.users.list_users()) == 1


async def test_of_two_who_use_a_link_at_once_one_gets_the_account(processes: tuple[Stores, Stores]) -> None:
    link = a_link("a")
    await processes[0].sign_ups.add(link, NO_CONSEQUENCES)
    at_once = await asyncio.gather(*(opened(processes[n % 2], link, a_user(f"jo-{n}")) for n in range(6)))
    assert sorted(at_once) == [False] * 5 + [True]
    assert len(await processes[1].users.list_users()) == 1


async def test_of_two_links_for_an_address_used_at_once_one_opens_the_account(
    processes: tuple[Stores, Stores],
) -> None:
    links = [a_link(f"link {n}") for n in range(6)]
    for link in links:
        await processes[0].sign_ups.add(link, NO_CONSEQUENCES)
    at_once = await asyncio.gather(*(opened(processes[n % 2], links[n], a_user(f"jo-{n}")) for n in range(6)))
    assert at_once.count(True) == 1
    assert len(await processes[1].users.list_users()) == 1


async def test_of_two_who_choose_a_name_at_once_one_gets_it_and_the_other_may_choose_again(
    processes: tuple[Stores, Stores],
) -> None:
    links = [a_link(f"link {n}", f"jo{n}@example.com") for n in range(4)]
    for link in links:
        await processes[0].sign_ups.add(link, NO_CONSEQUENCES)
    users = [replace(a_user("Jo", link.email), subject=Subject(f"usr_{n}")) for n, link in enumerate(links)]
    at_once = await asyncio.gather(*(opened(processes[n % 2], links[n], users[n]) for n in range(4)))
    assert sorted(map(str, at_once)) == ["True", "conflict", "conflict", "conflict"]
    later = at_once.index("conflict")
    assert await opened(processes[0], links[later], replace(users[later], username="another")) is True
