"""What the command line tells of each thing: plain values, and never a secret or the hash of one."""

from typing import Any

from authcenter.core.instants import instant
from authcenter.core.registration import InitialAccessToken
from authcenter.core.resource import Resource


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
