"""Rotation by policy, stopped and let go again by an operator."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, InvalidInput
from authcenter.core.event import Event, EventKind
from authcenter.stores.ports.keys import RotationPause, RotationPauses


@dataclass(frozen=True, slots=True)
class RotationBrake:
    """While it is on, nothing is done to keys but by hand. What has been published still signs when its time comes."""

    store: RotationPauses
    clock: Clock

    async def standing(self) -> RotationPause | None:
        """The pause, unless it is over. Raises ``StoreUnavailable``."""
        pause = await self.store.find()
        if pause is None or (pause.until is not None and pause.until <= self.clock.now()):
            return None
        return pause

    async def pause(self, until: datetime | None, actor: str) -> RotationPause:
        """Pause, be it for another time than before.

        Raises:
            InvalidInput: ``until`` is over already.
        """
        now = self.clock.now()
        if until is not None and until <= now:
            raise InvalidInput(f"until: {until.isoformat(timespec='seconds')} is over already")
        pause = RotationPause(now, until, actor)
        context = {"until": until.isoformat() if until else None}
        event = Event(EventKind.KEY_ROTATION_PAUSED, actor, context=context)
        await self.store.put(pause, Consequences(events=(event,)))
        return pause

    async def resume(self, actor: str) -> None:
        """Raises ``Conflict``: it was not paused."""
        event = Event(EventKind.KEY_ROTATION_RESUMED, actor)
        if not await self.store.put(None, Consequences(events=(event,))):
            raise Conflict("rotation is not paused")
