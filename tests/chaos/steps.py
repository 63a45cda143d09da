"""Named steps of the product at which a process of the tests ends itself with SIGKILL.

Which step, and at which of its calls, stands in the file ``armed``; it becomes the file ``sprung`` in the same instant.
"""

import functools
import inspect
import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.http.responses import Answer
from authcenter.stores.sql import transactions
from authcenter.stores.sql.audit_trail import SqlAuditTrail
from authcenter.stores.sql.locks import SqlLocks
from authcenter.stores.sql.request_traces import SqlRequestTraces
from authcenter.stores.sql.tokens import SqlRefreshTokenStore
from authcenter.tokens import service
from authcenter.tokens.enhancers import JwtTokenEnhancer
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.service import TokenService

ARMED, SPRUNG = "armed", "sprung"

_aside: ContextVar[bool] = ContextVar("aside", default=False)
"""Whether this is what is written beside requests: it may come in between at any step of one."""


class Trap:
    """Ends this process where the armed step is reached."""

    def __init__(self, directory: Path) -> None:
        self._armed, self._sprung = directory / ARMED, directory / SPRUNG
        self._calls = 0

    @property
    def armed(self) -> bool:
        return self._armed.exists()

    def reach(self, step: str) -> None:
        if not self.armed or _aside.get():
            return
        armed, _, call = self._armed.read_text().rpartition(" ")
        if armed != step:
            return
        self._calls += 1
        if self._calls == int(call):
            self._armed.rename(self._sprung)
            os.kill(os.getpid(), signal.SIGKILL)


def lay(trap: Trap) -> None:
    """Let every step below reach ``trap``: ``before <name>`` and ``after <name>``."""
    for owner, name in (
        (SqlRefreshTokenStore, "find"),
        (SqlRefreshTokenStore, "rotate"),
        (SqlRefreshTokenStore, "end_family"),
        (JwtTokenEnhancer, "enhance"),
        (TokenFamilies, "draw"),
        (TokenService, "_answer"),
        (TokenService, "_answer_spent"),
        (service, "seal_answer"),
        (Answer, "write_eof"),
        (DefaultDialect, "do_commit"),
    ):
        _wrap(owner, name, trap, lambda *_, name=name: name)
    _wrap(transactions, "append_rows", trap, lambda *_: "insert auth_audit")
    for owner, name in (
        (SqlAuditTrail, "append"),
        (SqlAuditTrail, "add_checkpoint"),
        (SqlRequestTraces, "keep"),
        (SqlLocks, "acquire"),
    ):
        _set_aside(owner, name)
    # "update token_families" and the like.
    _wrap(AsyncConnection, "execute", trap, lambda _, statement, *__: _verb_and_table(statement))


def _verb_and_table(statement: Any) -> str:
    table = getattr(statement, "table", None)
    return f"{statement.__visit_name__} {table.name if table is not None else ''}"


def _set_aside(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    async def aside(*args: Any) -> Any:
        token = _aside.set(True)
        try:
            return await original(*args)
        finally:
            _aside.reset(token)

    setattr(owner, name, aside)


def _wrap(owner: Any, name: str, trap: Trap, label: Callable[..., str]) -> None:
    original = getattr(owner, name)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            # What began before the trap was armed belongs to the request before: its caller has its answer already.
            armed = trap.armed
            trap.reach(f"before {label(*args)}")
            result = await original(*args, **kwargs)
            if armed:
                trap.reach(f"after {label(*args)}")
            return result

    else:

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            trap.reach(f"before {label(*args)}")
            result = original(*args, **kwargs)
            trap.reach(f"after {label(*args)}")
            return result

    setattr(owner, name, wrapped)
