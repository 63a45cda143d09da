"""Which key signs again when the newest one is taken back."""

from dataclasses import replace
from datetime import datetime

from authcenter.core.errors import Conflict
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import KeyRing, KeyState, SigningKey


def step_back(ring: KeyRing, alg: Alg, now: datetime) -> tuple[SigningKey, SigningKey]:
    """The newest key of ``alg``, and the one that signs once the newest has been retired.

    Raises:
        Conflict: There is none to go back to; or it was revoked or dropped, or its private half cannot be had.
    """
    line = [key for key in ring.keys.values() if key.alg is alg]
    living = [key for key in line if ring.states[key.kid] in (KeyState.CURRENT, KeyState.NEXT)]
    if not living:
        raise Conflict(f"there is no key of {alg}: run `keys rotate --alg {alg}` first")
    newest = max(living, key=lambda key: key.place)
    without = KeyRing.of([replace(key, retired_at=now) if key is newest else key for key in line], now)
    before = next((key for key in line if without.states[key.kid] is KeyState.CURRENT), None)
    for key in line:
        signed_once = key.revoked_at is not None and key.revoked_at > key.signs_from
        if signed_once and key.place < newest.place and (before is None or key.place > before.place):
            raise Conflict(f"{key.kid}, which signed before {newest.kid}, is revoked")
    if before is None:
        raise Conflict(f"there is no key before {newest.kid}, or it is dropped")
    if ring.states[before.kid] is KeyState.DROPPED:
        raise Conflict(
            f"{before.kid}, which signed before {newest.kid}, is dropped: nobody has its public half any more"
        )
    if before.private is None:
        raise Conflict(f"no passphrase here opens {before.kid}, which signed before {newest.kid}")
    return newest, before
