"""``/api/v1/auth/me``: who an access token of a first-party app belongs to, and what they say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from authcenter.accounts.claims import STANDARD_CLAIMS, claims_of
from authcenter.accounts.profile import Profiles
from authcenter.core.user import User
from authcenter.core.wire_json import encode
from authcenter.http.api.own_token import OwnTokens
from authcenter.http.context import NOTES
from authcenter.http.json_bodies import read_json
from authcenter.http.problems import with_problems
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router

PATH = "/api/v1/auth/me"


@dataclass(frozen=True, slots=True)
class MeEndpoint:
    """GET tells; PATCH changes the standard claims that are a person's own (RFC 7396: null takes one away)."""

    own: OwnTokens
    profiles: Profiles

    def mount(self, router: Router) -> None:
        router.add_get(PATH, with_problems(self.get))
        router.add_patch(PATH, with_problems(self.patch))

    async def get(self, request: web.BaseRequest) -> Answer:
        owner = await self.own.signed_in_user(request)
        return no_store(encode(_told(owner.token.subject, owner.user)))

    async def patch(self, request: web.BaseRequest) -> Answer:
        owner = await self.own.signed_in_user(request)
        wanted = await read_json(request)
        user = await self.profiles.change(owner.user.subject, wanted, request[NOTES].origin)
        return no_store(encode(_told(owner.token.subject, user)))


def _told(sub: str, user: User) -> Mapping[str, Any]:
    """``sub`` as the client knows it; the rest as userinfo has it, whatever the scope: the app is ours."""
    claims = claims_of(user, sorted(STANDARD_CLAIMS))
    return {"sub": sub, "username": user.username, "roles": sorted(user.roles), **claims}
