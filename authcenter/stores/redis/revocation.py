"""Revocations in Redis: a key for each token, a stream of everything, an epoch.

======================== ===================================================================================
``revoked:<hex>``        ``1``, one for each revoked token; <hex> is its short hash; lapses with the token
``revocations``          stream: ``kind``, ``value`` (a token's whole digest), ``up_to``, ``exp``, ``reason``
``revocations:epoch``    ``<width>.<mark>``: since when, and under how long hashes, Redis knows everything
``revocations:repairer`` who is teaching an emptied Redis; lapses
======================== ===================================================================================

No two keys are ever named in one script or transaction, so each may lie in a slot of its own on a Cluster; look-ups
are then one MGET a slot. Redis must not evict (``maxmemory-policy noeviction``): an evicted key would be forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from authcenter.core.clock import Clock
from authcenter.core.cut import Cut, CutKind
from authcenter.core.digest import Digest
from authcenter.stores.ports.spread import Epoch, Heard, Position, RevocationSpread, Revoked, SpreadRepair, StreamLost
from authcenter.stores.redis.connection import GONE, RedisConnection, open_client
from authcenter.stores.redis.look_ups import EPOCH, CoalescedLookUps, revoked_key

_STREAM, _REPAIRER = "revocations", "revocations:repairer"
_STREAM_ENTRIES = 100_000
_TOKEN, _EPOCH_KIND = "token", "epoch"
_BLOCK_MILLISECONDS = 500
# On top of what the read blocks: only a server that is gone lets it pass.
_LATE_SECONDS = 0.35
_READ_AT_ONCE = 1_000
_TAUGHT_AT_ONCE = 500
# The policy's largest leeway: it may be raised after a token was revoked.
_MOST_LEEWAY_SECONDS = 300


class RedisRevocations(RevocationSpread, SpreadRepair):
    """Announces and follows. Blocking reads have a client of their own: they outlast every other time limit."""

    def __init__(
        self, connection: RedisConnection, url: str, clock: Clock, *, answer_seconds: float | None = None
    ) -> None:
        """``answer_seconds``: how long Redis may be late with what a blocking read waits for; None: a third of one."""
        self._connection, self._clock = connection, clock
        late = _LATE_SECONDS if answer_seconds is None else answer_seconds
        self._reader = open_client(url, answer_seconds=_BLOCK_MILLISECONDS / 1000 + late)
        self._look_ups = CoalescedLookUps(connection)

    async def announce(self, tokens: Sequence[Revoked], cuts: Sequence[Cut]) -> None:
        async def act(client: Any) -> None:
            # Without an epoch nobody looks up, and whoever begins one has read the record after us.
            epoch = _epoch(await client.get(EPOCH)) if tokens else None
            pipeline = client.pipeline(transaction=False)
            for digest, expires_at in tokens:
                if epoch is not None:
                    self._keep(pipeline, digest, expires_at, epoch.width)
                self._add(pipeline, {"kind": _TOKEN, "value": digest.hex(), "exp": _written(expires_at)})
            for cut in cuts:
                self._add(pipeline, _cut_fields(cut))
            await pipeline.execute()

        await self._connection.run(act)

    async def position(self) -> Position | None:
        async def act(client: Any) -> Position | None:
            pipeline = client.pipeline(transaction=False)
            pipeline.get(EPOCH)
            pipeline.xrevrange(_STREAM, count=1)
            found, newest = await pipeline.execute()
            epoch = _epoch(found)
            # Every epoch begins with an entry: where there is none, somebody has cut the stream off.
            return Position(epoch, newest[0][0].decode()) if epoch and newest else None

        found = await self._connection.run(act)
        self._connection.require_up()
        return found

    async def follow(self, position: Position) -> Heard:
        self._connection.require_up()
        try:
            entries = await self._read(position)
        except GONE as failure:
            # Nobody else need wait for a server that this read has found gone.
            raise self._connection.lost(failure) from failure
        # Somebody else may have found it gone meanwhile. Two who answer differently would report it up and down by
        # turns; what was read is read again.
        self._connection.require_up()
        tokens: list[Revoked] = []
        cuts: list[Cut] = []
        for _, fields in entries:
            match _announced(fields):
                case Cut() as cut:
                    cuts.append(cut)
                case (digest, expires_at):
                    tokens.append((digest, expires_at))
        last_id = entries[-1][0].decode() if entries else position.last_id
        return Heard(Position(position.epoch, last_id), tokens, cuts)

    async def look_up(self, digest: Digest, epoch: Epoch) -> bool:
        return await self._look_ups.known(digest, epoch)

    async def claim(self, holder: str, lasts: timedelta) -> bool:
        async def act(client: Any) -> bool:
            if await client.set(_REPAIRER, holder, nx=True, px=lasts):
                return True
            # Not in one step: a claim that lapses in between is somebody's twice, and repairing twice is repairing.
            held = await client.get(_REPAIRER)
            return held == holder.encode() and bool(await client.pexpire(_REPAIRER, lasts))

        return await self._connection.run(act)

    async def teach(self, tokens: Sequence[Revoked], width: int) -> None:
        async def act(client: Any) -> None:
            for start in range(0, len(tokens), _TAUGHT_AT_ONCE):
                pipeline = client.pipeline(transaction=False)
                for digest, expires_at in tokens[start : start + _TAUGHT_AT_ONCE]:
                    self._keep(pipeline, digest, expires_at, width)
                await pipeline.execute()

        await self._connection.run(act)

    async def begin(self, epoch: Epoch) -> None:
        async def act(client: Any) -> None:
            pipeline = client.pipeline(transaction=False)
            self._add(pipeline, {"kind": _EPOCH_KIND, "value": str(epoch)})
            pipeline.set(EPOCH, str(epoch))
            await pipeline.execute()

        await self._connection.run(act)

    async def give_up(self, holder: str) -> None:
        async def act(client: Any) -> None:
            if await client.get(_REPAIRER) == holder.encode():
                await client.delete(_REPAIRER)

        await self._connection.run(act)

    async def close(self) -> None:
        """Close the reading client; the connection is its opener's."""
        await self._reader.aclose()

    async def _read(self, position: Position) -> Sequence[tuple[bytes, Mapping[bytes, bytes]]]:
        read = await self._reader.xread({_STREAM: position.last_id}, count=_READ_AT_ONCE, block=_BLOCK_MILLISECONDS)
        pipeline = self._reader.pipeline(transaction=False)
        pipeline.get(EPOCH)
        pipeline.xrange(_STREAM, min=position.last_id, max=position.last_id, count=1)
        epoch, noted = await pipeline.execute()
        if _epoch(epoch) != position.epoch:
            raise StreamLost("another epoch")
        # The oldest go first: while the entry we stood at is there, none after it can have gone unread.
        if not noted:
            raise StreamLost("the stream was cut off behind us")
        return _entries(read)

    def _keep(self, pipeline: Any, digest: Digest, expires_at: datetime, width: int) -> None:
        lives = ceil(expires_at.timestamp() - self._clock.seconds()) + _MOST_LEEWAY_SECONDS
        if lives > 0:
            pipeline.set(revoked_key(digest, width), 1, ex=lives)

    def _add(self, pipeline: Any, fields: Mapping[str, str]) -> None:
        pipeline.xadd(_STREAM, dict(fields), maxlen=_STREAM_ENTRIES, approximate=True)


def _epoch(found: bytes | None) -> Epoch | None:
    return Epoch.parse(found.decode(errors="replace")) if found else None


def _entries(read: Any) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
    """The entries of the one stream that was read, in either version of the protocol."""
    streams: Iterable[Any] = read.values() if isinstance(read, dict) else (entries for _, entries in read or ())
    found: list[tuple[bytes, Mapping[bytes, bytes]]] = []
    for entries in streams:
        # Version 3 nests the entries of a stream once more.
        nested = bool(entries) and isinstance(entries[0], list)
        found.extend(entries[0] if nested else entries)
    return found


def _cut_fields(cut: Cut) -> dict[str, str]:
    up_to, exp = _written(cut.up_to), _written(cut.expires_at)
    return {"kind": cut.kind, "value": cut.value, "up_to": up_to, "exp": exp, "reason": cut.reason}


def _announced(fields: Mapping[bytes, bytes]) -> Revoked | Cut | None:
    """What an entry says; None for what is none of ours, and for where an epoch begins."""
    said = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
    try:
        if said["kind"] == _EPOCH_KIND:
            return None
        if said["kind"] == _TOKEN:
            return Digest(bytes.fromhex(said["value"])), datetime.fromtimestamp(float(said["exp"]), UTC)
        kind, up_to, exp = CutKind(said["kind"]), _instant(said["up_to"]), _instant(said["exp"])
        return Cut(kind, said["value"], said["reason"], up_to=up_to, expires_at=exp)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _written(instant: datetime | None) -> str:
    return "" if instant is None else repr(instant.timestamp())


def _instant(text: str) -> datetime | None:
    return datetime.fromtimestamp(float(text), UTC) if text else None
