"""Clients as JSON documents: what operators are told of one, and what they say of it. Never a secret, or its hash."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.relying_party import with_sector
from authcenter.core.client import AuthMethod, Client, Lifetimes, OnOutage, Profile
from authcenter.core.errors import InvalidInput
from authcenter.core.instants import instant
from authcenter.core.members import Members
from authcenter.core.relying_party import RelyingParty
from authcenter.core.scope import RESERVED_PREFIX

E = TypeVar("E", bound=StrEnum)

MEMBERS = (
    "client_id",
    "name",
    "profile",
    "auth_methods",
    "grants",
    "scopes",
    "audiences",
    "serves",
    "redirect_uris",
    "origins",
    "first_party",
    "access_ttl",
    "refresh_ttl",
    "refresh_max_lifetime",
    "reuse_grace",
    "on_outage",
    "relying_party",
)
"""What can be said of a client; ``client_description`` tells it by the same names."""

_LIFETIMES = {
    "access_ttl": "access",
    "refresh_ttl": "refresh",
    "refresh_max_lifetime": "refresh_max",
    "reuse_grace": "reuse_grace",
}
_LONGEST_SECONDS = 10 * 366 * 86_400
_NOT_SAID = frozenset({"dynamic", "openly", "registration_mac", "sector", "localized"})
"""What a registration leaves behind, and what follows of the rest."""


def client_description(client: Client) -> dict[str, Any]:
    """Of the secrets only that they are there, and since when."""
    lifetimes = client.lifetimes
    return {
        "client_id": client.client_id,
        "name": client.name,
        "profile": client.profile.value,
        "auth_methods": sorted(client.auth_methods),
        "grants": sorted(client.grants),
        "scopes": sorted(client.scopes.values),
        "audiences": list(client.audiences),
        "serves": sorted(client.serves),
        "redirect_uris": list(client.redirect_uris),
        "origins": sorted(client.origins),
        "public": client.public,
        "first_party": client.first_party,
        "access_ttl": _seconds(lifetimes.access),
        "refresh_ttl": _seconds(lifetimes.refresh),
        "refresh_max_lifetime": _seconds(lifetimes.refresh_max),
        "reuse_grace": _seconds(lifetimes.reuse_grace),
        "on_outage": client.on_outage.value if client.on_outage else None,
        "relying_party": _relying_party(client.relying_party),
        "disabled": client.disabled_at is not None,
        "secrets": [{"created_at": instant(secret.created_at)} for secret in client.secrets],
        "created_at": instant(client.created_at),
        "updated_at": instant(client.updated_at),
    }


def new_metadata(document: Mapping[str, Any]) -> ClientMetadata:
    """What a document says of a client that is to be made. Raises ``InvalidInput``, naming the member."""
    members = Members(document)
    empty = ClientMetadata(members.text("client_id"))
    if members.text("profile") == Profile.FAPI2:
        # It authenticates by neither secret nor name, and this version has no other method yet.
        empty = replace(empty, auth_methods=frozenset())
    return changed_metadata(empty, document)


def changed_metadata(old: ClientMetadata, document: Mapping[str, Any]) -> ClientMetadata:
    """``old`` with the members that the document has; null: as for a new client (RFC 7396).

    Raises:
        InvalidInput: Naming the member. Whether the whole holds is ``ClientMetadata.check``'s to say. Or a scope of the
            server itself is among those that it gets: a token for operators must not give itself a longer life.
    """
    members, plain = Members(document), ClientMetadata(old.client_id)
    members.require_known(MEMBERS)
    if members.text("client_id", old.client_id) != old.client_id:
        raise InvalidInput("client_id: cannot be changed")
    readers: Mapping[str, Callable[[], Any]] = {
        "name": lambda: members.text("name"),
        "profile": lambda: _one_of(members, "profile", Profile) or plain.profile,
        "auth_methods": lambda: _some_of(members, "auth_methods", AuthMethod, plain.auth_methods),
        "grants": lambda: frozenset(members.texts("grants")),
        "scopes": lambda: frozenset(members.texts("scopes")),
        "audiences": lambda: members.texts("audiences"),
        "serves": lambda: frozenset(members.texts("serves")),
        "redirect_uris": lambda: members.texts("redirect_uris"),
        "origins": lambda: frozenset(members.texts("origins")),
        "first_party": lambda: members.flag("first_party"),
        "on_outage": lambda: _one_of(members, "on_outage", OnOutage),
        "relying_party": lambda: _changed_party(old.relying_party, members),
    }
    changes = {name: read() for name, read in readers.items() if name in document}
    new = replace(old, **changes, lifetimes=_changed_lifetimes(old.lifetimes, members))
    for scope in sorted(new.scopes - old.scopes):
        if scope.startswith(RESERVED_PREFIX):
            raise InvalidInput(f"scopes: {scope} is given at the command line only")
    return replace(new, relying_party=with_sector(new.relying_party, new.redirect_uris))


def _changed_lifetimes(old: Lifetimes, members: Members) -> Lifetimes:
    changes = {}
    for member, name in _LIFETIMES.items():
        if member in members.given:
            seconds = members.number(member, _LONGEST_SECONDS)
            changes[name] = None if seconds is None else timedelta(seconds=seconds)
    return replace(old, **changes)


def _changed_party(old: RelyingParty, members: Members) -> RelyingParty:
    plain = RelyingParty()
    if members.given["relying_party"] is None:
        return replace(plain, **{name: getattr(old, name) for name in _NOT_SAID})
    said = members.within("relying_party")
    known = {field.name: getattr(plain, field.name) for field in fields(plain) if field.name not in _NOT_SAID}
    said.require_known(known)
    return replace(old, **{name: _read(said, name, known[name]) for name in said.given})


def _read(said: Members, name: str, default: Any) -> Any:
    """By the type that the member has where nothing was said."""
    match default:
        case bool():
            return said.flag(name)
        case str():
            return said.text(name, default)
        case tuple():
            return said.texts(name)
    # What is left is None where it is absent: a number of seconds, and a key set.
    return (said.within(name).given or None) if name == "jwks" else said.number(name, _LONGEST_SECONDS)


def _one_of(members: Members, name: str, kind: type[E]) -> E | None:
    text = members.text(name)
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(f"{name}: must be one of {', '.join(kind)}") from None


def _some_of(members: Members, name: str, kind: type[E], default: frozenset[E]) -> frozenset[E]:
    if members.given.get(name) is None:
        return default
    try:
        return frozenset(kind(text) for text in members.texts(name))
    except ValueError:
        raise InvalidInput(f"{name}: must be some of {', '.join(kind)}") from None


def _relying_party(party: RelyingParty) -> dict[str, Any]:
    """What differs from the defaults."""
    plain = RelyingParty()
    told = {field.name: getattr(party, field.name) for field in fields(party) if field.name != "registration_mac"}
    differs = {name: value for name, value in told.items() if value != getattr(plain, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in differs.items()}


def _seconds(lifetime: timedelta | None) -> int | None:
    return None if lifetime is None else int(lifetime.total_seconds())
