"""Micro-benchmark of verification in one process: the price above the bare signature check, and of a token seen before.

``python -m tests.bench.verify`` prints its figures as JSON.
"""

import asyncio
import gc
import json
import os
import secrets
import sys
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any, Final

from authcenter.core.digest import Digest
from authcenter.core.errors import TokenRejected
from authcenter.tokens.revocation import Revocations
from tests.bench import proc
from tests.bench.minted import Minted, mint
from tests.bench.verifier import Subject, filled_with, resource_server, subject

_ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
_ENTRIES: Final = 1_000_000
_TOKENS: Final = 500
_ROUNDS: Final = 9
_PASSES: Final = 40


async def measure() -> dict[str, Any]:
    """Microseconds a token for the bare check and for the first sight, tokens a second when seen before."""
    empty = await filled_with(0)
    small = await _of_all(empty)
    full, replica = await _filled()
    large = await _of_all(full)
    checks, sdk = (
        {name: {"0": few[name], str(_ENTRIES): many[name]} for name in _ALGORITHMS}
        for few, many in zip(small, large, strict=True)
    )
    del full
    replica["held_bytes_an_entry"] = await _held_bytes() / _ENTRIES
    return {"checks": checks, "sdk": sdk, "replica": {name: round(figure, 1) for name, figure in replica.items()}}


async def _of_all(revocations: Revocations) -> list[dict[str, dict[str, float]]]:
    """The server's figures and the SDK's, by algorithm."""
    return [
        {algorithm: await _checks(await made(algorithm, revocations), revocations) for algorithm in _ALGORITHMS}
        for made in (subject, resource_server)
    ]


async def _checks(whose: Subject, revocations: Revocations) -> dict[str, float]:
    await _insist_on_refusals(whose, revocations)
    bare, first, seen, looked_up = [], [], [], []
    for _ in range(_ROUNDS):  # A B A B: what else the machine does hits both
        minted = mint(whose.key, whose.kid, whose.algorithm, _TOKENS)
        bare.append(_bare(minted) / _TOKENS)
        first.append(_verified(whose, minted.tokens) / _TOKENS)
        seen.append(_again(whose, minted))
        looked_up.append(_again(whose, minted, meanwhile=revocations))
    return {
        "bare_us": round(median(bare) * 1e6, 2),
        "first_us": round(median(first) * 1e6, 2),
        "above_bare_us": round(median(one - other for one, other in zip(first, bare, strict=True)) * 1e6, 2),
        "seen_per_second": round(1 / median(seen)),
        "looked_up_per_second": round(1 / median(looked_up)),
    }


def _bare(minted: Minted) -> float:
    verify, since = minted.verify, perf_counter()
    for signature, data in minted.signed:
        verify(signature, data)
    return perf_counter() - since


def _verified(whose: Subject, tokens: Sequence[str]) -> float:
    check, since = whose.check, perf_counter()
    for token in tokens:
        check(token)
    return perf_counter() - since


def _again(whose: Subject, minted: Minted, meanwhile: Revocations | None = None) -> float:
    """Seconds for a token seen before; with ``meanwhile``, a revocation between any two sights has it looked up."""
    spent = 0.0
    for _ in range(_PASSES):
        # As off the wire: a string whose hash nobody has computed yet and that is not the key in the cache itself.
        arrived = [token.encode().decode() for token in minted.tokens]
        if meanwhile is not None:
            in_five_minutes = datetime.now(UTC) + timedelta(minutes=5)
            meanwhile.replica.add_token(Digest(secrets.token_bytes(32)), in_five_minutes)
        spent += _verified(whose, arrived)
    return spent / (_TOKENS * _PASSES)


async def _insist_on_refusals(whose: Subject, revocations: Revocations) -> None:
    """A verifier that forgot a check would be fast: a foreign signature and a revoked token must be refused."""
    good, other = mint(whose.key, whose.kid, whose.algorithm, 2).tokens
    held = whose.check(good)
    swapped = f"{good.rpartition('.')[0]}.{other.rpartition('.')[2]}"
    revocations.replica.add_token(held.digest, datetime.fromtimestamp(held.expires_at, UTC))
    for bad in (swapped, good):
        try:
            whose.check(bad)
        except TokenRejected:
            continue
        raise RuntimeError("the verifier accepts what it must refuse: nothing to measure")


async def _filled() -> tuple[Revocations, dict[str, float]]:
    gc.collect()
    before, since = proc.resident_bytes(os.getpid()), perf_counter()
    revocations = await filled_with(_ENTRIES)
    took = perf_counter() - since
    gc.collect()
    grown = proc.resident_bytes(os.getpid()) - before
    return revocations, {"entries": _ENTRIES, "load_seconds": took, "resident_bytes_an_entry": grown / _ENTRIES}


async def _held_bytes() -> float:
    """What the replica holds, without what the allocator keeps: a second load, traced, because tracing slows it."""
    gc.collect()
    tracemalloc.start()
    revocations = await filled_with(_ENTRIES)
    gc.collect()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(held) if len(revocations.replica) else 0.0


if __name__ == "__main__":
    json.dump(asyncio.run(measure()), sys.stdout)
