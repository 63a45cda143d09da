"""The account of somebody who comes from a provider: how it is called, and what it is told of them."""

import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from authcenter.accounts.account import NewAccount
from authcenter.accounts.standard_claims import check_claims
from authcenter.core.errors import InvalidInput
from authcenter.core.identity import ExternalIdentity
from authcenter.core.ids import new_subject
from authcenter.core.user import User

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 60


def names_for(told: ExternalIdentity) -> Iterator[str]:
    """User names to try: what they go by there, then with numbers that nobody else will have drawn."""
    local, _, _ = told.email.rpartition("@")
    wished = [name for name in (_tidy(told.username), _tidy(local)) if _would_do(name, told.email)] or ["person"]
    yield from wished
    while True:
        yield f"{wished[0]}-{secrets.randbelow(10_000):04}"


def newcomer(told: ExternalIdentity, username: str, now: datetime) -> User:
    """The account that ``told`` becomes.

    Raises:
        InvalidInput: No account can have that address.
    """
    account = NewAccount(username, told.email, frozenset(), email_verified=True)
    account.check()
    return User(
        subject=new_subject(),
        username=username,
        email=told.email,
        email_verified=True,
        roles=frozenset(),
        created_at=now,
        updated_at=now,
        claims=_claims(told),
    )


def _tidy(name: str) -> str:
    # An @ would make an address of it, and those of others are not to be had.
    return _NOT_IN_NAMES.sub("-", name.partition("@")[0].strip())[:_LONGEST_NAME].strip("-.")


def _would_do(name: str, email: str) -> bool:
    return not any(field == "username" for field, _ in NewAccount(name, email, frozenset()).problems())


def _claims(told: ExternalIdentity) -> dict[str, Any]:
    kept = {}
    for name, value in (("name", told.name), ("picture", told.picture)):
        try:
            check_claims({name: value})
        except InvalidInput:
            continue
        kept[name] = value
    return kept
