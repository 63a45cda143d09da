"""Conformance of ``IdentityStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.errors import Conflict
from authcenter.core.identity import Identity
from authcenter.core.ids import Subject
from authcenter.core.user import User
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, LONG_ID, SOME_TIME, a_user, recorded

LATER = SOME_TIME + timedelta(minutes=5)


def an_identity(provider: str = "google", provider_subject: str = "1", **changes: Any) -> Identity:
    identity = Identity(
        provider, provider_subject, Subject("usr_ada"), "ada@example.com", AWKWARD, SOME_TIME, SOME_TIME
    )
    return replace(identity, **changes)


def ada(**changes: Any) -> User:
    alive = a_user(subject=Subject("usr_ada"), username="ada", email="Ada@Example.com", email_verified=True)
    return replace(alive, disabled_at=None, **changes)


async def test_an_account_is_opened_with_its_identity(stores: Stores) -> None:
    identity = an_identity(provider_subject=LONG_ID)
    await stores.identities.open(ada(), identity, recorded())
    assert await stores.identities.find("google", LONG_ID) == identity
    assert await stores.identities.find("google", "2") is None
    assert await stores.identities.find("github", LONG_ID) is None
    credentials = await stores.users.find_credentials("ada")
    assert credentials is not None
    assert (credentials.user.subject, credentials.password_hash) == ("usr_ada", "")
    assert len(await stores.proven_rows()) == 1


TAKEN = [
    pytest.param(ada(subject=Subject("usr_b"), username="b", email="b@example.com"), "1", id="the identity"),
    pytest.param(ada(subject=Subject("usr_b"), email="b@example.com"), "2", id="the name"),
    pytest.param(ada(subject=Subject("usr_b"), username="b"), "2", id="the address"),
]


@pytest.mark.parametrize(("user", "provider_subject"), TAKEN)
async def test_where_something_is_taken_neither_is_kept(stores: Stores, user: User, provider_subject: str) -> None:
    await stores.identities.open(ada(), an_identity(), NO_CONSEQUENCES)
    with pytest.raises(Conflict):
        await stores.identities.open(
            user, an_identity(provider_subject=provider_subject, subject=user.subject), recorded()
        )
    assert await stores.users.find("usr_b") is None
    assert await stores.identities.list_of("usr_b") == []
    assert await stores.proven_rows() == []


async def test_of_many_that_open_the_same_one_does(stores: Stores) -> None:
    async def first(number: int) -> bool:
        subject = Subject(f"usr_{number}")
        user = ada(subject=subject, username=f"ada-{number}", email=f"{number}@example.com")
        try:
            await stores.identities.open(user, an_identity(subject=subject), recorded())
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(first(number) for number in range(6)))) == [False] * 5 + [True]
    assert len(await stores.users.list_users()) == 1
    assert len(await stores.proven_rows()) == 1


LINKS = [
    pytest.param({}, None, True, id="after a login"),
    pytest.param({"email_verified": False}, None, True, id="after a login, whatever the address"),
    pytest.param({}, "ada@example.com", True, id="by the address"),
    pytest.param({}, "eve@example.com", False, id="by another address"),
    pytest.param({"email_verified": False}, "ada@example.com", False, id="by an address not verified"),
    pytest.param({"disabled_at": SOME_TIME}, None, False, id="disabled"),
    pytest.param({"subject": Subject("usr_b")}, None, False, id="gone"),
]


@pytest.mark.parametrize(("changes", "address", "links"), LINKS)
async def test_an_identity_is_linked_to_who_is_there_and_has_the_address(
    stores: Stores, changes: dict[str, Any], address: str | None, links: bool
) -> None:
    await stores.users.add(replace(ada(), **changes), "hash")
    assert await stores.identities.link(an_identity(), recorded(), address=address) is links
    assert await stores.identities.list_of("usr_ada") == ([an_identity()] if links else [])
    assert len(await stores.proven_rows()) == links


async def test_an_identity_is_linked_once(stores: Stores) -> None:
    for number, name in enumerate(("ada", "b")):
        user = ada(subject=Subject(f"usr_{name}"), username=name, email=f"{number}@example.com")
        await stores.users.add(user, "hash")
    assert await stores.identities.link(an_identity(), NO_CONSEQUENCES)
    for subject in ("usr_ada", "usr_b"):
        with pytest.raises(Conflict):
            await stores.identities.link(an_identity(subject=Subject(subject)), recorded())
    assert await stores.proven_rows() == []


async def test_those_of_a_person_are_listed_by_when_they_were_linked(stores: Stores) -> None:
    await stores.users.add(ada(), "hash")
    for name, at in (("c", SOME_TIME), ("a", LATER), ("b", SOME_TIME)):
        assert await stores.identities.link(an_identity(name, linked_at=at), NO_CONSEQUENCES)
    assert [held.provider for held in await stores.identities.list_of("usr_ada")] == ["b", "c", "a"]
    assert await stores.identities.list_of("usr_nobody") == []


async def test_use_is_noted_with_what_the_provider_says_now(stores: Stores) -> None:
    await stores.identities.open(ada(), an_identity(), NO_CONSEQUENCES)
    now = an_identity(email="new@example.com", name="Ada", used_at=LATER, linked_at=LATER)
    await stores.identities.used(now)
    await stores.identities.used(an_identity("github"))
    assert await stores.identities.find("google", "1") == replace(now, linked_at=SOME_TIME)
    assert await stores.identities.find("github", "1") is None


REMOVALS = [
    pytest.param(["google"], None, [], id="the last one, with another way in"),
    pytest.param(["google"], {"google"}, ["google"], id="the last one"),
    pytest.param(["google", "github"], {"google", "github"}, ["github"], id="one of two"),
    pytest.param(["google", "github"], {"google"}, ["github", "google"], id="the last one that works"),
]


@pytest.mark.parametrize(("held", "among", "left"), REMOVALS)
async def test_an_identity_goes_where_a_way_in_stays(
    stores: Stores, held: list[str], among: set[str] | None, left: list[str]
) -> None:
    await stores.users.add(ada(), "")
    for name in held:
        assert await stores.identities.link(an_identity(name), NO_CONSEQUENCES)
    gone = left != sorted(held)
    assert await stores.identities.remove(an_identity("google"), recorded(), among=among) is gone
    assert [each.provider for each in await stores.identities.list_of("usr_ada")] == left
    assert len(await stores.proven_rows()) == gone
    assert not await stores.identities.remove(an_identity("nowhere"), recorded())


async def test_only_its_owners_identity_goes(stores: Stores) -> None:
    await stores.users.add(ada(), "")
    assert await stores.identities.link(an_identity(), NO_CONSEQUENCES)
    assert not await stores.identities.remove(an_identity(subject=Subject("usr_eve")), recorded())
    assert await stores.identities.find("google", "1") == an_identity()


async def test_of_all_that_are_removed_at_once_one_stays(stores: Stores) -> None:
    await stores.users.add(ada(), "")
    names = [f"provider-{number}" for number in range(4)]
    for name in names:
        assert await stores.identities.link(an_identity(name), NO_CONSEQUENCES)
    removals = (stores.identities.remove(an_identity(name), recorded(), among=names) for name in names)
    assert sorted(await asyncio.gather(*removals)) == [False, True, True, True]
    assert len(await stores.identities.list_of("usr_ada")) == 1
