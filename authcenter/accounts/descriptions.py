"""What operators are told of users, by the command line and by the admin API alike: plain values, never a secret."""

from collections.abc import Sequence
from typing import Any

from authcenter.core.identity import Identity
from authcenter.core.instants import instant
from authcenter.core.session import Session
from authcenter.core.user import User


def user_description(user: User) -> dict[str, Any]:
    return {
        "sub": user.subject,
        "username": user.username,
        "email": user.email,
        "email_verified": user.email_verified,
        "roles": sorted(user.roles),
        "claims": dict(user.claims),
        "disabled": user.disabled_at is not None,
        "reset_required": user.reset_required_at is not None,
        "created_at": instant(user.created_at),
        "updated_at": instant(user.updated_at),
    }


def session_description(session: Session, clients: Sequence[str]) -> dict[str, Any]:
    """``clients``: those that were signed in to in it."""
    return {
        "sid": session.session_id,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "acr": session.acr,
        "amr": list(session.amr),
        "clients": sorted(clients),
        "auth_time": instant(session.auth_time),
        "created_at": instant(session.created_at),
        "last_active_at": instant(session.last_active_at),
        "expires_at": instant(session.expires_at),
    }


def identity_description(identity: Identity) -> dict[str, Any]:
    return {
        "provider": identity.provider,
        "provider_subject": identity.provider_subject,
        "email": identity.email,
        "name": identity.name,
        "linked_at": instant(identity.linked_at),
        "used_at": instant(identity.used_at),
    }
