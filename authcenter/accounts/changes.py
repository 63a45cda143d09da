"""A change of an account: what an act makes of a user, and who writes it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.event import EventKind
from authcenter.core.job import Job
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User


@dataclass(frozen=True, slots=True)
class Change:
    """What an act makes of a user, and what goes with it."""

    user: User
    kind: EventKind
    cuts: Sequence[Cut] = ()
    lifts: Sequence[tuple[CutKind, str]] = ()
    jobs: Sequence[Job] = ()
    origin: RequestOrigin | None = None
    context: Mapping[str, object] = field(default_factory=dict)


Act = Callable[[User], Change | None]
Write = Callable[[User, Consequences], Awaitable[bool]]
"""Writes a user over the revision it was made from, as ``UserStore.replace`` does."""
