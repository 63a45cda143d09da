"""``/console/keys``: the keys that tokens are signed with, and what is going to happen to them."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.clock import Clock
from authcenter.core.value import Value
from authcenter.http.console.guard import Console, Operator
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.keys.oversight import KeyOversight

PATH = "/console/keys"


class KeyCard(Value, frozen=True):
    """One key. ``days``: since it began, or is to begin, to sign; negative: until then."""

    kid: str
    alg: str
    state: str
    signs_from: datetime
    days: int


@dataclass(frozen=True, slots=True)
class KeysPage:
    """Shows the ring and the plan. Keys are revoked on the page of revocations, after what that would hit."""

    console: Console
    keys: KeyOversight
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        now, newest_first = self.clock.now(), reversed(await self.keys.held())
        return self.console.show(
            visit,
            operator,
            "keys",
            "console_keys.html",
            cards=[
                KeyCard(key.kid, key.alg, state, key.signs_from, (now - key.signs_from).days)
                for key, state in newest_first
            ],
            outlook=await self.keys.outlook(),
        )
