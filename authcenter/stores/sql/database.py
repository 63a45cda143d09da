"""Connections, transactions, and what an SQL error means."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, event, select, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from authcenter.core.errors import Conflict, StoreUnavailable
from authcenter.stores.sql.columns import Instant
from authcenter.stores.sql.outage import OnOutage, OutageGuard
from authcenter.stores.sql.turn import Turn
from authcenter.telemetry.tracing import Tracing, traced

_CONNECT_SECONDS = 1.0
_POOL_WAIT_SECONDS = 0.5
_STATEMENT_SECONDS = 2.0
# By when a server that lives has broken off the statement itself.
_ANSWER_SECONDS = 0.5
_PROBE_SECONDS = 0.6
_READ_ONLY = "authcenter_read_only"


class database_clock(FunctionElement[datetime]):  # noqa: N801 - a SQL function
    """The database's own clock, as an ``Instant``."""

    type = Instant()
    inherit_cache = True
    name = "database_clock"


@compiles(database_clock, "sqlite")
def _sqlite_clock(element: object, compiler: object, **_: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"


@compiles(database_clock, "postgresql")
def _postgresql_clock(element: object, compiler: object, **_: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


class database_second(FunctionElement[datetime]):  # noqa: N801 - a SQL function
    """The database's own clock, rounded up to the second, as an ``Instant``."""

    type = Instant()
    inherit_cache = True
    name = "database_second"


@compiles(database_second)
def _second(element: object, compiler: SQLCompiler, **_: object) -> str:
    clock = compiler.process(database_clock())
    return f"((({clock}) + 999999) / 1000000) * 1000000"


class Database:
    """One database: a pool of connections with time limits."""

    def __init__(
        self,
        url: str,
        *,
        statement_seconds: float = _STATEMENT_SECONDS,
        on_outage: OnOutage | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """Args:
        statement_seconds: How long one statement may take, waiting for locks included.
        on_outage: Told when the server is gone and when it is back; while it is gone everything is refused at once.
            None: each caller waits for the time limits himself, which suits a single command.
        """
        self.url = url
        self.engine = _engine(url, statement_seconds)
        # SQLite has one writer, and waits for it by polling: this process's own writers queue here instead.
        self._turn = Turn() if self.dialect == "sqlite" else None
        # SQLite is a file: what fails there fails at once, and costs nobody a time limit.
        self._guard = OutageGuard(self._probe, on_outage) if on_outage and self.dialect != "sqlite" else None
        self._tracing, self._told = tracing, {"db.system.name": self.dialect}

    async def close(self) -> None:
        if self._guard:
            await self._guard.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed where the block ends well.

        Raises:
            Conflict: A key is taken.
            StoreUnavailable: The database did not answer, or not in time; nothing was written, or it is unknown.
        """
        with traced(self._tracing, "sql write", self._told):
            async with self._turn.taken() if self._turn else nullcontext():
                with self._translated():
                    async with self._watched(), self._connected() as connection, connection.begin():
                        yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction. Raises ``StoreUnavailable``."""
        with traced(self._tracing, "sql read", self._told), self._translated():
            async with self._watched(), self._connected() as connection:
                yield await connection.execution_options(**{_READ_ONLY: True})

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[AsyncConnection]:
        """``reading``, for a generator: between two rows its consumer waits for other things, which nothing here may
        break off, and which belong to no span. It waits for the time limits."""
        with self._translated():
            async with self._connected() as connection:
                yield await connection.execution_options(**{_READ_ONLY: True})

    async def now(self) -> datetime:
        """The database's clock."""
        async with self.reading() as connection:
            return await now_on(connection)

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    def _watched(self) -> AbstractAsyncContextManager[None]:
        return self._guard.watch() if self._guard else nullcontext()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self.engine.connect())
            except InvalidRequestError as closed:
                # What SQLAlchemy says of our misuse, too; here: that what it opened anew was closed as well.
                raise DisconnectionError(str(closed)) from closed
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._guard:
            self._guard.require_up()
        try:
            yield
        except IntegrityError as taken:
            raise Conflict(_first_line(taken)) from taken
        except (DBAPIError, PoolTimeout, DisconnectionError, sqlite3.Error, OSError) as failure:
            hint = f"database: {type(failure).__name__}: {_first_line(failure)}"
            if self._guard:
                self._guard.note(failure, hint)
            raise StoreUnavailable(hint) from failure

    async def _probe(self) -> None:
        # Not from the pool, whose connections may all be waiting for the answer that does not come.
        engine = _engine(self.url, _PROBE_SECONDS, poolclass=NullPool)
        try:
            async with asyncio.timeout(_PROBE_SECONDS), engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        finally:
            await engine.dispose()


async def now_on(connection: AsyncConnection) -> datetime:
    """The clock of the database that ``connection`` leads to."""
    instant: datetime = (await connection.execute(select(database_clock()))).scalar_one()
    return instant


def _first_line(failure: BaseException) -> str:
    # The statement's parameters stay out of logs: only what the driver said.
    said = failure.orig if isinstance(failure, DBAPIError) and failure.orig is not None else failure
    return next(iter(str(said).splitlines()), "")[:200]


def _engine(url: str, statement_seconds: float, poolclass: type[NullPool] | None = None) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(parsed, pool_size=5, max_overflow=0, pool_timeout=_POOL_WAIT_SECONDS)
        event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, statement_seconds))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    server_settings = {"application_name": "authcenter", "jit": "off"}
    limits: dict[str, Any] = {
        "timeout": _CONNECT_SECONDS,
        "command_timeout": statement_seconds + _ANSWER_SECONDS,
        "server_settings": server_settings | {"statement_timeout": str(int(statement_seconds * 1000))},
    }
    pool: dict[str, Any] = {"pool_size": 20, "max_overflow": 0, "pool_timeout": _POOL_WAIT_SECONDS}
    engine = create_async_engine(parsed, connect_args=limits, **({"poolclass": poolclass} if poolclass else pool))
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    event.listen(engine.sync_engine, "handle_error", _give_up_silent)
    event.listen(engine.sync_engine, "close", _hang_up)
    return engine


def _refuse_dead(connection: Any, _: object, __: object) -> None:
    # Instead of a ping, which costs round trips: that a server went away, its closed sockets have told the driver.
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server closed it")


def _give_up_silent(context: ExceptionContext) -> None:
    # Without a word of the server, nor can a rollback be had of it: waiting for that would double the time.
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True


def _hang_up(connection: Any, _: object) -> None:
    # Not in words: a server that does not answer would keep this process from ending, once per connection.
    connection.driver_connection.terminate()


def _prepare_sqlite(statement_seconds: float, connection: Any, _: object) -> None:
    # The driver begins no transaction by itself, so that _begin_sqlite chooses the kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {int(statement_seconds * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another writes in between: take the lock first.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    driver: Any = connection.connection.dbapi_connection
    # Past the cursor, whose making and closing are two more ways to the driver's thread.
    driver.run_async(lambda raw: raw.execute("BEGIN" if read_only else "BEGIN IMMEDIATE"))
