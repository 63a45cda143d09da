"""``/console/keys``: the keys that tokens are signed with, and what is going to happen to them."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.clock import Clock
from authcenter.core.value import Value
from authcenter.http.console.guard import Console, Operator
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.keys.pausing import RotationBrake
from authcenter.keys.schedule import RotationRules, plan
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.live import LivePolicy

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
    keys: LiveKeyRing
    brake: RotationBrake
    policy: LivePolicy
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        await self.keys.reload()
        ring, now, policy = self.keys.ring, self.clock.now(), self.policy.current
        ordered = sorted(ring.keys.values(), key=lambda key: (key.alg, key.signs_from, key.kid), reverse=True)
        pause = await self.brake.standing()
        return self.console.show(
            visit,
            operator,
            "keys",
            "console_keys.html",
            cards=[
                KeyCard(key.kid, key.alg, ring.states[key.kid], key.signs_from, (now - key.signs_from).days)
                for key in ordered
            ],
            rotate_every=policy.keys.rotate_every,
            pause=pause,
            steps=plan(
                ring,
                RotationRules.of(policy),
                now,
                paused=pause is not None,
                resumes_at=pause.until if pause else None,
            ),
        )
