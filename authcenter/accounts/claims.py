"""What clients are told about a person (OpenID Connect Core §5.1, §5.4)."""

from collections.abc import Iterable, Mapping
from typing import Any

from authcenter.core.scope import Scope
from authcenter.core.user import User

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
STANDARD_CLAIMS = frozenset(name for names in CLAIMS_OF_SCOPE.values() for name in names)


def claims_of(user: User, names: Iterable[str]) -> dict[str, Any]:
    """The claims of those ``names`` that the account has; names of anything else tell nothing."""
    own: Mapping[str, Any] = {
        **user.claims,
        "preferred_username": user.username,
        "email": user.email,
        "email_verified": user.email_verified,
        "updated_at": int(user.updated_at.timestamp()),
    }
    return {name: own[name] for name in names if name in STANDARD_CLAIMS and own.get(name) is not None}


def claims_of_scope(scope: Scope | Iterable[str]) -> list[str]:
    """The names that a scope asks for."""
    values = scope.values if isinstance(scope, Scope) else frozenset(scope)
    return [name for value, names in CLAIMS_OF_SCOPE.items() if value in values for name in names]
