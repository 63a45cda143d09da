"""What operators see of the signing keys and do to them, at the command line and over HTTP alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authcenter.core.clock import Clock
from authcenter.core.instants import instant
from authcenter.core.origin import RequestOrigin
from authcenter.jose.algorithms import Alg
from authcenter.keys.pausing import RotationBrake
from authcenter.keys.ring import KeyState, SigningKey
from authcenter.keys.rotation import KeyRotation, parse_alg
from authcenter.keys.schedule import Planned, RotationRules, plan
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.keys import RotationPause


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is going to happen to the keys.

    Attributes:
        in_use: The algorithms that are kept supplied.
    """

    rotate_every: int
    publish_before_use: int
    in_use: Sequence[str]
    pause: RotationPause | None
    steps: Sequence[Planned]


@dataclass(frozen=True, slots=True)
class KeyOversight:
    """Lists, foresees, rotates, retires, revokes.

    Raises (each method):
        StoreUnavailable: Cannot tell; nothing was done, or it is unknown.
    """

    rotation: KeyRotation
    brake: RotationBrake
    policy: LivePolicy
    clock: Clock

    async def held(self) -> Sequence[tuple[SigningKey, KeyState]]:
        """All keys, by algorithm and by when they sign."""
        await self.rotation.live.reload()
        ring = self.rotation.live.ring
        keys = sorted(ring.keys.values(), key=lambda key: (key.alg, key.signs_from, key.created_at, key.kid))
        return [(key, ring.states[key.kid]) for key in keys]

    async def outlook(self) -> Outlook:
        """What is going to happen to the keys, and when. Nothing is changed."""
        await self.rotation.live.reload()
        policy, pause, ring = self.policy.current, await self.brake.standing(), self.rotation.live.ring
        rules = RotationRules.of(policy)
        resumes_at = pause.until if pause else None
        steps = plan(ring, rules, self.clock.now(), paused=pause is not None, resumes_at=resumes_at)
        keys = policy.keys
        return Outlook(keys.rotate_every, keys.publish_before_use, rules.in_use(ring), pause, steps)

    async def listed(self) -> list[dict[str, Any]]:
        """``held``, described."""
        return [key_description(key, state) for key, state in await self.held()]

    async def foresee(self) -> dict[str, Any]:
        """``outlook``, described."""
        outlook = await self.outlook()
        return {
            "rotate_every": outlook.rotate_every,
            "publish_before_use": outlook.publish_before_use,
            "in_use": outlook.in_use,
            **pause_description(outlook.pause),
            "steps": [
                {"at": instant(one.at), "alg": one.alg.value, "act": one.act.value, "kid": one.kid}
                for one in outlook.steps
            ],
        }

    async def rotate(
        self, alg: str | None, actor: str, *, now: bool = False, origin: RequestOrigin | None = None
    ) -> dict[str, Any]:
        """Make and publish a key that is going to sign; with ``now`` it signs at once.

        Args:
            alg: None: what the policy says that access tokens are signed with.

        Raises:
            InvalidInput: There is no such algorithm.
        """
        policy = self.policy.current
        wanted = parse_alg(alg or policy.tokens.signing_alg)
        await self.rotation.live.reload()
        # The first key of its kind has nothing to take over from, and nobody could sign meanwhile.
        at_once = now or not self._has_current(wanted)
        published_for = timedelta(seconds=0 if at_once else policy.keys.publish_before_use)
        return self._described((await self.rotation.rotate(wanted, published_for, actor, origin=origin)).kid)

    async def retire(self, kid: str, actor: str, *, origin: RequestOrigin | None = None) -> dict[str, Any]:
        """Let a key verify only. Raises ``NotFound``, ``Conflict``."""
        await self.rotation.retire(kid, actor, origin=origin)
        return self._described(kid)

    async def revoke(self, kid: str, reason: str, actor: str, *, origin: RequestOrigin | None = None) -> dict[str, Any]:
        """Refuse whatever a key has signed, now and for good; ``successor``: what signs in its place, where it did.

        Raises:
            NotFound, Conflict: No such key; or it has been revoked before.
        """
        successor = await self.rotation.revoke(kid, reason, actor, origin=origin)
        return self._described(kid) | {"successor": successor.kid if successor else None}

    def _has_current(self, alg: Alg) -> bool:
        ring = self.rotation.live.ring
        return any(key.alg is alg and ring.states[kid] is KeyState.CURRENT for kid, key in ring.keys.items())

    def _described(self, kid: str) -> dict[str, Any]:
        ring = self.rotation.live.ring
        return key_description(ring.keys[kid], ring.states[kid])


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


def pause_description(pause: RotationPause | None) -> dict[str, Any]:
    if pause is None:
        return {"paused": False, "since": None, "until": None, "by": None}
    until = instant(pause.until) if pause.until else None
    return {"paused": True, "since": instant(pause.since), "until": until, "by": pause.by}
