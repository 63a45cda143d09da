"""What is known of the request that is being answered: for its log lines, and for the metrics' exemplars."""

from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

# One variable for all fields: structlog's own takes one per field and looks through all of a context at every line.
REQUEST_FIELDS: ContextVar[Mapping[str, str] | None] = ContextVar("authcenter_request_fields", default=None)
"""Set while a request is answered: by the frame, and before it, where tracing is on, by the span around it."""

EXPORTED_TRACE: ContextVar[str] = ContextVar("authcenter_exported_trace", default="")
"""The id of the request's trace, where that is exported."""


def add_request_fields(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; what the line itself says wins."""
    fields = REQUEST_FIELDS.get()
    return event if fields is None else {**fields, **event}
