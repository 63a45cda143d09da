"""Conformance of ``UserStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.cut import CutKind
from authcenter.core.errors import Conflict
from authcenter.core.user import User
from authcenter.stores.ports.accounts import UserCredentials
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_user, cutting, recorded


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(a_user(AWKWARD.strip()), id="awkward name"),
        pytest.param(a_user("x" * 255, email="y" * 320), id="long name and address"),
        pytest.param(
            a_user(email_verified=False, roles=frozenset(), disabled_at=None, cut_at=None), id="nothing optional set"
        ),
    ],
)
async def test_a_user_is_read_as_it_was_written(stores: Stores, user: User) -> None:
    await stores.users.add(user, AWKWARD, recorded())
    assert await stores.users.find(user.subject) == user
    assert await stores.users.list_users() == [user]
    assert await stores.users.find_credentials(user.username) == UserCredentials(user, AWKWARD)
    assert len(await stores.proven_rows()) == 1


@pytest.mark.parametrize("login", ["STRASSE", "  straße ", "\uff33trasse", "Strasse@example.COM"])
async def test_credentials_are_found_however_the_name_is_written(stores: Stores, login: str) -> None:
    user = a_user("Straße")
    await stores.users.add(user, "hash")
    assert await stores.users.find_credentials(login) == UserCredentials(user, "hash")
    assert await stores.users.find_credentials("strase") is None


async def test_a_name_counts_before_an_address(stores: Stores) -> None:
    addressed, named = a_user("ada", email="x@example.com"), a_user("X@example.com", email="bob@example.com")
    await stores.users.add(addressed, "1")
    await stores.users.add(named, "2")
    assert await stores.users.find_credentials("x@example.com") == UserCredentials(named, "2")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"username": "\uff21DA"}, id="name in another case and width"),
        pytest.param({"email": " ada@EXAMPLE.com"}, id="address in another case"),
    ],
)
async def test_a_taken_name_or_address_is_a_conflict_and_keeps_nothing(stores: Stores, changes: dict[str, str]) -> None:
    ada, bob = a_user("Ada"), a_user("Bob")
    await stores.users.add(ada, "hash")
    with pytest.raises(Conflict):
        await stores.users.add(replace(bob, **changes), "hash", recorded())
    await stores.users.add(bob, "hash")
    with pytest.raises(Conflict):
        await stores.users.replace(replace(bob, **changes), recorded())
    assert await stores.users.find(bob.subject) == bob
    assert await stores.proven_rows() == []
    assert stores.counted == []


@pytest.mark.parametrize(
    ("begins", "names"),
    [
        pytest.param("", ["ada1", "ada2", "bob%", "stra\u00dfe"], id="nothing: all"),
        pytest.param("AdA", ["ada1", "ada2"], id="name in another case"),
        pytest.param("ada2@ex", ["ada2"], id="address"),
        pytest.param("usr_", ["ada1", "ada2", "bob%", "stra\u00dfe"], id="what subjects begin with"),
        pytest.param("USR_", [], id="subject in another case"),
        pytest.param("STRASSE", ["stra\u00dfe"], id="as names are compared"),
        pytest.param("da", [], id="not how it begins"),
        pytest.param("%", [], id="percent is itself"),
        pytest.param("bob%", ["bob%"], id="and is found"),
        pytest.param("_da", [], id="underscore is itself"),
        pytest.param(AWKWARD, [], id="awkward"),
    ],
)
async def test_users_are_found_by_how_name_address_or_subject_begin(
    stores: Stores, begins: str, names: list[str]
) -> None:
    for name in ("ada2", "stra\u00dfe", "bob%", "ada1"):
        await stores.users.add(a_user(name), "hash")
    erased = a_user("usr_gone", erased_at=SOME_TIME)
    await stores.users.add(erased, "")
    assert [user.username for user in await stores.users.search(begins, after="", most=10)] == names


async def test_a_search_goes_on_where_it_stopped(stores: Stores) -> None:
    made = [a_user(f"user{number}") for number in range(5)]
    for user in reversed(made):
        await stores.users.add(user, "hash")
    assert await stores.users.search("user", after="", most=2) == made[:2]
    assert await stores.users.search("user", after="user1", most=2) == made[2:4]
    assert await stores.users.search(made[4].subject, after="user3", most=2) == [made[4]]
    assert await stores.users.search(made[0].subject, after="user0", most=2) == []


async def test_a_user_is_replaced_with_or_without_a_password(stores: Stores) -> None:
    user = a_user()
    await stores.users.add(user, "old")
    renamed = replace(user, username="Countess", email="c@example.com", roles=frozenset(), email_verified=False)
    assert await stores.users.replace(renamed, recorded())
    assert await stores.users.find_credentials("countess") == UserCredentials(replace(renamed, revision=5), "old")
    assert await stores.users.find_credentials("ada") is None
    assert await stores.users.replace(replace(renamed, revision=5, disabled_at=None), password_hash="new")
    final = replace(renamed, revision=6, disabled_at=None)
    assert await stores.users.find_credentials("c@example.com") == UserCredentials(final, "new")
    assert ("user", user.subject, 3) in await stores.changes.recent_changes(60)


async def test_a_replacement_of_another_revision_keeps_nothing(stores: Stores) -> None:
    user = a_user()
    await stores.users.add(user, "hash")
    assert not await stores.users.replace(replace(user, revision=3, username="x"), recorded(), password_hash="new")
    assert not await stores.users.replace(a_user("Bob"), recorded())
    assert await stores.users.find_credentials("ada") == UserCredentials(user, "hash")
    assert await stores.proven_rows() == []


async def test_of_concurrent_replacements_one_wins(processes: tuple[Stores, Stores]) -> None:
    user = a_user()
    await processes[0].users.add(user, "hash")
    contenders = [replace(user, roles=frozenset({f"writer {number}"})) for number in range(20)]
    answers = await asyncio.gather(
        *(processes[n % 2].users.replace(contender, recorded()) for n, contender in enumerate(contenders))
    )
    assert answers.count(True) == 1
    assert await processes[1].users.find(user.subject) == replace(contenders[answers.index(True)], revision=5)
    assert len(await processes[0].proven_rows()) == 1


async def test_of_concurrent_additions_of_one_name_one_wins(processes: tuple[Stores, Stores]) -> None:
    adding = [processes[n % 2].users.add(a_user("Ada"), "hash", recorded()) for n in range(20)]
    answers = await asyncio.gather(*adding, return_exceptions=True)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert len(await processes[0].users.list_users()) == 1


async def test_a_hash_is_upgraded_only_over_the_one_it_was_made_from(stores: Stores) -> None:
    user = a_user()
    await stores.users.add(user, "old")
    upgrades = (stores.users.upgrade_password_hash(user.subject, "old", f"new {number}") for number in range(10))
    answers = await asyncio.gather(*upgrades)
    assert answers.count(True) == 1
    expected = UserCredentials(user, f"new {answers.index(True)}")
    assert await stores.users.find_credentials("ada") == expected
    assert not await stores.users.upgrade_password_hash("usr_nobody", "old", "new")


async def test_a_cut_moves_forward_only_and_is_a_change_of_the_user(stores: Stores) -> None:
    user = a_user(cut_at=None)
    await stores.users.add(user, "hash")
    for hours, marked in ((1, 1), (3, 3), (2, 3)):
        await stores.revocations.cut(cutting(CutKind.SUBJECT, user.subject, up_to=SOME_TIME + timedelta(hours=hours)))
        assert await stores.users.find(user.subject) == replace(user, cut_at=SOME_TIME + timedelta(hours=marked))
    assert ("user", user.subject, 4) in await stores.changes.recent_changes(60)


async def test_a_replacement_does_not_undo_a_cut_made_meanwhile(stores: Stores) -> None:
    user = a_user(cut_at=None)
    await stores.users.add(user, "hash")
    await stores.revocations.cut(cutting(CutKind.SUBJECT, user.subject, up_to=SOME_TIME))
    assert await stores.users.replace(replace(user, cut_at=SOME_TIME - timedelta(days=1)))
    assert await stores.users.find(user.subject) == replace(user, cut_at=SOME_TIME, revision=5)


async def test_disabling_a_user_cuts_in_the_same_write(stores: Stores) -> None:
    user = a_user(cut_at=None)
    await stores.users.add(user, "hash")
    assert await stores.users.replace(user, cutting(CutKind.SUBJECT, user.subject, until_now=True))
    marked = await stores.users.find(user.subject)
    assert marked is not None
    assert marked.cut_at is not None
    assert marked.cut_at >= await stores.revocations.now() - timedelta(seconds=60)
    assert not await stores.users.replace(user, cutting(CutKind.SUBJECT, user.subject, reason="stale"))
    assert [cut.reason for cut in await stores.revocations.all_cuts(SOME_TIME)] == ["a reason"]
