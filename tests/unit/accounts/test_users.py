"""The acts on accounts: one transaction each, with the event and what it cuts off."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import EventKind
from authcenter.core.secret import Secret
from authcenter.core.user import User

PASSWORD = Secret("correct horse")


async def make(bench: Any, username: str = "alice", **options: Any) -> User:
    return await bench.accounts.create(
        username, f"{username}@example.org", PASSWORD, ["reader"], actor="cli:root", **options
    )


def cut_of(bench: Any, user: User) -> Cut | None:
    held = bench.record.tables.cuts.get((CutKind.SUBJECT, user.subject))
    return held[0] if held else None


async def test_a_created_user_is_found_by_name_address_and_subject(bench: Any) -> None:
    user = await make(bench)
    assert user.subject.startswith("usr_")
    assert user.roles == {"reader"}
    assert user.email_verified
    for name in ("alice", " ALICE ", "alice@EXAMPLE.org", user.subject):
        assert await bench.accounts.get(name) == user
    assert await bench.accounts.list() == [user]
    assert await bench.accounts.find(user.subject) == user


async def test_creation_is_recorded_without_name_or_password(bench: Any) -> None:
    user = await make(bench)
    (event,) = bench.events
    assert (event.kind, event.actor, event.subject) == (EventKind.USER_CREATED, "cli:root", user.subject)
    assert "alice" not in str(event)
    assert "horse" not in str(event)
    assert bench.hash_of(user.subject).startswith("$argon2id$")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"username": "bob@example.org"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"roles": ["two words"]}, "roles"),
        ({"password": Secret("short")}, "password"),
    ],
)
async def test_a_bad_field_is_refused_by_name_and_nothing_is_kept(
    bench: Any, change: dict[str, Any], named: str
) -> None:
    good = {"username": "alice", "email": "alice@example.org", "password": PASSWORD, "roles": []}
    with pytest.raises(InvalidInput, match=f"^{named}: "):
        await bench.accounts.create(**{**good, **change}, actor="cli:root")
    assert await bench.accounts.list() == []
    assert bench.events == []


@pytest.mark.parametrize(
    ("username", "email"), [("ALICE", "other@example.org"), ("other", "Alice@example.org")], ids=["name", "address"]
)
async def test_a_taken_name_or_address_is_a_conflict(bench: Any, username: str, email: str) -> None:
    await make(bench)
    with pytest.raises(Conflict):
        await bench.accounts.create(username, email, PASSWORD, actor="cli:root")


@pytest.mark.parametrize("name", ["nobody", "usr_nobody", "", "a\0b"])
async def test_who_is_not_there_is_not_found(bench: Any, name: str) -> None:
    with pytest.raises(NotFound):
        await bench.accounts.get(name)
    with pytest.raises(NotFound):
        await bench.accounts.disable(name, actor="cli:root")


async def test_disabling_cuts_all_tokens_for_as_long_as_it_lasts(bench: Any) -> None:
    user = await make(bench)
    disabled = await bench.accounts.disable("alice", actor="cli:root")
    assert disabled.disabled_at == bench.accounts.clock.now()
    assert cut_of(bench, user) == Cut(CutKind.SUBJECT, user.subject, "user disabled")
    assert bench.kinds() == [EventKind.USER_CREATED, EventKind.USER_DISABLED]


async def test_enabling_puts_a_cut_up_to_now_in_the_place_of_the_other(bench: Any) -> None:
    user = await make(bench)
    await bench.accounts.disable("alice", actor="cli:root")
    enabled = await bench.accounts.enable("alice", actor="cli:root")
    now, cut = bench.accounts.clock.now(), cut_of(bench, user)
    assert enabled.disabled_at is None
    assert enabled.cut_at == now
    assert cut is not None
    assert cut.up_to == now
    assert cut.expires_at is not None
    assert cut.expires_at > now + timedelta(days=1)
    assert bench.kinds()[-1] == EventKind.USER_ENABLED


@pytest.mark.parametrize("acts", [["disable", "disable"], ["disable", "enable", "enable"], ["enable"]])
async def test_an_act_that_changes_nothing_records_nothing(bench: Any, acts: list[str]) -> None:
    await make(bench)
    for act in acts[:-1]:
        await getattr(bench.accounts, act)("alice", actor="cli:root")
    before, events = await bench.accounts.get("alice"), len(bench.events)
    assert await getattr(bench.accounts, acts[-1])("alice", actor="cli:root") == before
    assert len(bench.events) == events


async def test_a_new_password_takes_the_place_of_the_old_and_cuts_what_was_issued(bench: Any) -> None:
    user = await make(bench)
    changed = await bench.accounts.set_password("alice@example.org", Secret("another horse"), actor="cli:root")
    assert changed.cut_at == bench.accounts.clock.now()
    assert await bench.hashing.verify("another horse", bench.hash_of(user.subject))
    assert not await bench.hashing.verify("correct horse", bench.hash_of(user.subject))
    assert bench.kinds()[-1] == EventKind.USER_PASSWORD_SET


async def test_a_password_that_does_not_do_changes_nothing(bench: Any) -> None:
    user = await make(bench)
    with pytest.raises(InvalidInput, match=r"^password: "):
        await bench.accounts.set_password("alice", Secret("short"), actor="cli:root")
    assert await bench.hashing.verify("correct horse", bench.hash_of(user.subject))


async def test_logging_out_cuts_what_was_issued(bench: Any) -> None:
    user = await make(bench)
    await bench.accounts.logout(user.subject, actor="cli:root")
    cut = cut_of(bench, user)
    assert cut is not None
    assert cut.up_to == bench.accounts.clock.now()
    assert bench.kinds()[-1] == EventKind.USER_LOGGED_OUT


@pytest.mark.parametrize("act", ["logout", "set_password"])
async def test_a_disabled_users_cut_of_everything_gets_no_end(bench: Any, act: str) -> None:
    user = await make(bench)
    await bench.accounts.disable("alice", actor="cli:root")
    options = {"password": Secret("another horse")} if act == "set_password" else {}
    await getattr(bench.accounts, act)("alice", **options, actor="cli:root")
    assert cut_of(bench, user) == Cut(CutKind.SUBJECT, user.subject, "user disabled")


class Meddling:
    """A store in which somebody else always, or a given number of times, writes first."""

    def __init__(self, store: Any, times: int) -> None:
        self._store, self._times = store, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def replace(self, user: User, *args: Any, **options: Any) -> bool:
        if self._times:
            self._times -= 1
            newest = await self._store.find(user.subject)
            await self._store.replace(replace(newest, roles=newest.roles | {f"role{self._times}"}))
        return await self._store.replace(user, *args, **options)


async def test_an_act_keeps_what_others_wrote_meanwhile(bench: Any) -> None:
    await make(bench)
    accounts = replace(bench.accounts, store=Meddling(bench.store, times=2))
    disabled = await accounts.disable("alice", actor="cli:root")
    assert disabled.disabled_at
    assert disabled.roles == {"reader", "role0", "role1"}
    assert bench.kinds().count(EventKind.USER_DISABLED) == 1


async def test_an_act_gives_up_where_others_never_stop_writing(bench: Any) -> None:
    await make(bench)
    accounts = replace(bench.accounts, store=Meddling(bench.store, times=1000))
    with pytest.raises(Conflict):
        await accounts.disable("alice", actor="cli:root")
    assert EventKind.USER_DISABLED not in bench.kinds()
