"""What the command line tells of each thing: plain values, and never a secret or the hash of one."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from authcenter.core.client import Client
from authcenter.core.instants import instant
from authcenter.core.registration import InitialAccessToken
from authcenter.core.relying_party import RelyingParty
from authcenter.core.resource import Resource
from authcenter.keys.ring import KeyState, SigningKey


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


def _relying_party(party: RelyingParty) -> dict[str, Any]:
    """What differs from the defaults."""
    plain = RelyingParty()
    told = {field.name: getattr(party, field.name) for field in fields(party) if field.name != "registration_mac"}
    differs = {name: value for name, value in told.items() if value != getattr(plain, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in differs.items()}


def initial_token_description(token: InitialAccessToken) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "uses_left": token.uses_left,
        "created_by": token.created_by,
        "created_at": instant(token.created_at),
        "expires_at": instant(token.expires_at),
    }


def resource_description(resource: Resource) -> dict[str, Any]:
    scopes = {value: {"text": scope.text, "role": scope.role} for value, scope in sorted(resource.scopes.items())}
    return {
        "id": resource.resource_id,
        "name": resource.name,
        "scopes": scopes,
        "created_at": instant(resource.created_at),
        "updated_at": instant(resource.updated_at),
    }


def key_description(key: SigningKey, state: KeyState) -> dict[str, Any]:
    """``opens``: whether a passphrase of this machine opens the private key; None where none is needed."""
    return {
        "kid": key.kid,
        "alg": key.alg.value,
        "state": state.value,
        "created_at": instant(key.created_at),
        "signs_from": instant(key.signs_from),
        "opens": None if state in (KeyState.REVOKED, KeyState.DROPPED) else key.private is not None,
    }


def _seconds(lifetime: timedelta | None) -> int | None:
    return None if lifetime is None else int(lifetime.total_seconds())
