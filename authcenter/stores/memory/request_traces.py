"""Requests explained, in memory."""

from collections.abc import Sequence
from datetime import datetime

from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.request_traces import RequestTrace, RequestTraces, TraceFilter


class MemoryRequestTraces(RequestTraces):
    """By request id; one of a slot takes the place of the one before."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def keep(self, traces: Sequence[RequestTrace]) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            for trace in traces:
                if trace.slot is not None:
                    before = [one.request_id for one in tables.request_traces.values() if one.slot == trace.slot]
                    for request_id in before:
                        del tables.request_traces[request_id]
                tables.request_traces[trace.request_id] = trace
            return True

        self._record.commit(write)

    async def get(self, request_id: str) -> RequestTrace | None:
        return self._record.tables.request_traces.get(request_id)

    async def find(self, wanted: TraceFilter, most: int) -> Sequence[RequestTrace]:
        found = [one for one in self._record.tables.request_traces.values() if _meets(one, wanted)]
        return sorted(found, key=lambda one: (one.at, one.request_id), reverse=True)[:most]


def _meets(trace: RequestTrace, wanted: TraceFilter) -> bool:
    return (
        wanted.client_id in ("", trace.client_id)
        and wanted.rule in ("", trace.rule)
        and wanted.ip in ("", trace.ip)
        and (not wanted.refused or trace.rule != "")
        and (wanted.since is None or trace.at >= wanted.since)
        and (wanted.until is None or trace.at < wanted.until)
    )
