"""Accounts over the memory store, with hashes that cost next to nothing and a clock that stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import argon2
import bcrypt
import pytest

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.accounts.users import Accounts
from authcenter.audit.chain import GENESIS, link
from authcenter.core.clock import Clock
from authcenter.core.event import Event
from authcenter.stores.memory.accounts import MemoryUserStore
from authcenter.stores.memory.record import MemoryRecord

CHEAP = Argon2Cost(memory_kib=8, passes=1, lanes=1)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LONGEST_TOKEN = timedelta(days=1)


class StandingClock(Clock):
    def now(self) -> datetime:
        return NOON

    def seconds(self) -> float:
        return NOON.timestamp()


@dataclass
class Bench:
    """What a test of accounts works with."""

    hashing: PasswordHashing
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.record = MemoryRecord(StandingClock(), link, GENESIS, self.events.append)
        self.store = MemoryUserStore(self.record)
        self.accounts = Accounts(self.store, self.hashing, StandingClock(), LONGEST_TOKEN)

    def hash_of(self, subject: str) -> str:
        return self.record.tables.users[subject].password_hash

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def hashing() -> Iterator[PasswordHashing]:
    made = PasswordHashing(CHEAP, workers=2)
    yield made
    made.close()


@pytest.fixture
def bench(hashing: PasswordHashing) -> Bench:
    return Bench(hashing)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that are really computed, by algorithm."""
    calls: list[str] = []

    def count(owner: object, name: str, algorithm: str) -> None:
        real = getattr(owner, name)

        def counted(*args: object, **options: object) -> object:
            calls.append(algorithm)
            return real(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    count(argon2.PasswordHasher, "verify", "argon2")
    count(argon2.PasswordHasher, "hash", "argon2 made")
    count(bcrypt, "checkpw", "bcrypt")
    return calls
