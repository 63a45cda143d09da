"""Slots per key and time (GCRA): all that has to be remembered of a key is when all its slots are free again."""

import math

from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import Taken


def take_slots(free_at: float, now: float, rate: Rate, slots: int) -> tuple[Taken, float]:
    """What becomes of taking ``slots``, and when all slots are free again after that. Instants in Unix seconds."""
    each = rate.per_seconds / rate.limit
    # Rounding must not cost the last slot.
    slack = each / 1000 + 1e-6
    start = max(free_at, now)
    after = start + slots * each
    allowed = after - now <= rate.per_seconds + slack
    full = after if allowed else start
    left = max(0, min(rate.limit, math.floor((now + rate.per_seconds - full + slack) / each)))
    wait = 0.0 if allowed else after - now - rate.per_seconds
    return Taken(allowed, left, wait, full - now), full


def give_back_slots(free_at: float, rate: Rate, slots: int) -> float:
    """When all slots are free again after ``slots`` of them were given back."""
    return free_at - slots * rate.per_seconds / rate.limit
