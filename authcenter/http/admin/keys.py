"""``/admin/v1/keys``: what tokens are signed with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.core.members import Members
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.paging import whole
from authcenter.http.admin.reasons import reason_of
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.keys.oversight import KeyOversight


@dataclass(frozen=True, slots=True)
class KeysEndpoints:
    """List, foresee, rotate, retire, revoke.

    Attributes:
        settle: Lets this process know at once what was revoked.
    """

    frame: AdminFrame
    keys: KeyOversight
    settle: Callable[[], Awaitable[None]]

    def mount(self, router: Router) -> None:
        self.frame.mount(router, "GET", "/keys", self.list_keys)
        self.frame.mount(router, "GET", "/keys/plan", self.plan)
        self.frame.mount(router, "POST", "/keys/rotate", self.rotate)
        self.frame.mount(router, "POST", "/keys/{kid}/retire", self.retire)
        self.frame.mount(router, "POST", "/keys/{kid}/revoke", self.revoke)

    async def list_keys(self, _: Asked) -> Answer:
        return whole(await self.keys.listed())

    async def plan(self, _: Asked) -> Answer:
        return no_store(encode(await self.keys.foresee()))

    async def rotate(self, asked: Asked) -> Answer:
        """``alg``: else the policy's; ``now``: it signs at once, else once verifiers know it."""
        members, by = Members(await asked.document() if asked.request.can_read_body else {}), asked.by
        members.require_known(["alg", "now"])
        alg, now = members.text("alg") or None, members.flag("now")
        return no_store(encode(await self.keys.rotate(alg, by.actor, now=now, origin=by.origin)), 201)

    async def retire(self, asked: Asked) -> Answer:
        by = asked.by
        return no_store(encode(await self.keys.retire(asked.path["kid"], by.actor, origin=by.origin)))

    async def revoke(self, asked: Asked) -> Answer:
        members, by = Members(await asked.document()), asked.by
        members.require_known(["reason"])
        revoked = await self.keys.revoke(asked.path["kid"], reason_of(members), by.actor, origin=by.origin)
        await self.settle()
        return no_store(encode(revoked))
