"""What a person says of themselves: the standard claims (OpenID Connect Core §5.1) that are theirs to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.standard_claims import STORED_CLAIMS, check_claims
from authcenter.accounts.users import Accounts
from authcenter.core.errors import InvalidInput
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User

OWN_CLAIMS = tuple(name for name in STORED_CLAIMS if name != "phone_number_verified")
"""Whether a number is theirs is nothing that people can say of themselves."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Changes to what people say of themselves."""

    accounts: Accounts

    async def of(self, subject: str) -> User:
        """As the record has it now, not a cache. Raises ``NotFound``, ``StoreUnavailable``."""
        return await self.accounts.get(subject)

    async def change(self, subject: str, wanted: Mapping[str, Any], origin: RequestOrigin) -> User:
        """Set claims; None takes one away. What is as it was is no change.

        Raises:
            InvalidInput: A claim that is not theirs to change, or a value that does not hold; the text names it.
            NotFound, Conflict, StoreUnavailable: As ``Accounts.set_claims``.
        """
        for name in wanted:
            if name not in OWN_CLAIMS:
                raise InvalidInput(f"claim: {name!a:.80} is none of {', '.join(OWN_CLAIMS)}")
        user = await self.of(subject)
        changes = {name: value for name, value in wanted.items() if user.claims.get(name) != value}
        if not changes:
            return user
        if "phone_number" in changes:
            # Verified was the one before.
            changes["phone_number_verified"] = None
        return await self.accounts.set_claims(subject, changes, actor=subject, origin=origin)


def wrong_claims(wanted: Mapping[str, Any]) -> list[str]:
    """The names of those whose values do not hold."""
    return [name for name, value in wanted.items() if value is not None and not _holds(name, value)]


def _holds(name: str, value: object) -> bool:
    try:
        check_claims({name: value})
    except InvalidInput:
        return False
    return True
