"""JSON logs, one object a line, in printable ASCII: secrets redacted by type and, as a last resort, by shape."""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from pydantic import SecretBytes, SecretStr

from authcenter.core.secret import Secret
from authcenter.telemetry.last_resort import presentable
from authcenter.telemetry.log_context import add_request_fields

_HIDDEN = (Secret, SecretStr, SecretBytes)
_LONGEST_VALUE = 2_000

Logger = structlog.stdlib.BoundLogger


def configure_logs(level: str, stream: TextIO = sys.stderr, worker: int | None = None) -> None:
    """Send every log line, the libraries' warnings too, to ``stream`` as JSON.

    Args:
        worker: The number of this process among several, said in each line.
    """

    def number(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return event if worker is None else {**event, "worker": worker}

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        number,
        add_request_fields,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    foreign = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(foreign)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Change the least level that is written; loggers that exist follow."""
    structlog.configure(**{**structlog.get_config(), "wrapper_class": structlog.make_filtering_bound_logger(level)})


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by their type, and cut what strangers made too long; a traceback stays whole."""
    return {name: value if name == "exception" else _shown(value) for name, value in event.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, _HIDDEN):
        return "***"
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…"
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(one) for one in value]
    return value


def _dumps(value: Any, **_: Any) -> str:
    return presentable(json.dumps(value, default=str, separators=(",", ":")).encode()).decode()
