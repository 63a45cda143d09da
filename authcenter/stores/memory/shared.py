"""State that instances share, in the memory of the only one there is."""

from dataclasses import dataclass, field

from authcenter.core.clock import Clock
from authcenter.core.gcra import SlotTable
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters, Taken


@dataclass(frozen=True, slots=True)
class MemoryRateCounters(RateCounters):
    """Slots in this process. One event loop, no await between look and act: of many takers none gets too many."""

    clock: Clock
    _tables: dict[Rate, SlotTable] = field(default_factory=dict)

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        table, now = self._table(rate), self.clock.seconds()
        wait = table.take(key, now, slots)
        remaining, reset_after = table.left(key, now)
        return Taken(wait == 0, remaining, wait, reset_after)

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        self._table(rate).give_back(key, self.clock.seconds(), slots)

    def _table(self, rate: Rate) -> SlotTable:
        table = self._tables.get(rate)
        if table is None:
            table = self._tables[rate] = SlotTable(rate.limit, rate.per_seconds, self.clock.seconds())
        return table
