"""The caches before the record, joined."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from authcenter.settings.policy import Policy
from authcenter.stores.cached.codec import RecordCodec
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.cached.second_level import SecondLevel, anything
from authcenter.telemetry.metrics import Metrics
from authcenter.wiring.core import Core
from authcenter.wiring.shared import Shared

V = TypeVar("V")


def cached(
    load: Callable[[str], Awaitable[V | None]],
    shape: type[V],
    core: Core,
    shared: Shared,
    metrics: Metrics,
    may_leave: Callable[[V], bool] = anything,
) -> ReadThroughCache[V]:
    """A cache before ``load``, which reads values of ``shape`` from the record.

    Args:
        may_leave: Whether a value may be kept outside the record and this process.
    """
    name, clock = shape.__name__.lower(), core.clock

    def count(outcome: str) -> None:
        metrics.cache_requests.count(name, outcome)

    def policy() -> Policy:
        return core.policy.current

    second = None
    if shared.entries is not None:
        second = SecondLevel(shared.entries, name, RecordCodec(shape), policy, clock, may_leave)
    return ReadThroughCache(load, policy, clock, count, second=second)
