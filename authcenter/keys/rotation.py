"""What is done to keys: make, rotate, retire, roll back, drop, revoke, encrypt anew."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import Kid
from authcenter.core.origin import RequestOrigin
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.keys.ring import KeyState
from authcenter.keys.rollback import step_back
from authcenter.keys.schedule import Succession
from authcenter.keys.source import LiveKeyRing
from authcenter.keys.vault import KeyVault
from authcenter.stores.ports.keys import SigningKeyStore, StoredKey


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The acts that change the ring. Every one is one transaction with its audit event."""

    store: SigningKeyStore
    live: LiveKeyRing
    vault: KeyVault
    clock: Clock

    async def ensure(self, actor: str) -> None:
        """Make a current key for every algorithm that has no key to sign with yet, so that policy may choose any."""
        await self.live.reload()
        for alg in Alg:
            if not any(state in (KeyState.CURRENT, KeyState.NEXT) for state in self._states(alg)):
                now = self.clock.now()
                await self.succeed(Succession(alg, None, now, now), actor)

    async def rotate(
        self, alg: Alg, published_for: timedelta, actor: str, *, origin: RequestOrigin | None = None
    ) -> StoredKey:
        """Make the next key of ``alg``; it begins to sign once it has been published for ``published_for``."""
        key = await self._make(alg, self.clock.now() + published_for)
        await self.store.add(key, _because(EventKind.KEY_CREATED, key, actor, origin))
        await self.live.reload()
        return key

    async def succeed(self, succession: Succession, actor: str) -> StoredKey | None:
        """Make the key that is due; None where somebody else has done so meanwhile."""
        key = await self._make(succession.alg, succession.signs_from)
        predecessor = Kid(succession.predecessor) if succession.predecessor is not None else None
        made = await self.store.succeed(key, predecessor, _because(EventKind.KEY_CREATED, key, actor))
        await self.live.reload()
        return key if made else None

    async def roll_back(self, alg: Alg, actor: str) -> tuple[StoredKey, StoredKey]:
        """Take back the newest key of ``alg``: the one before signs again at once, what the newest has signed verifies.

        Returns:
            The key that signs now, and the one that verifies only.

        Raises:
            Conflict: There is no key to go back to; or it has been revoked or dropped, or cannot be opened here.
        """
        listed = {key.kid: key for key in await self.store.list_keys()}
        await self.live.reload()
        now, ring = self.clock.now(), self.live.ring
        newest, before = step_back(ring, alg, now)
        retired = replace(listed[Kid(newest.kid)], retired_at=now)
        event = _event(EventKind.KEY_ROLLED_BACK, retired, actor, signs=before.kid)
        await self._write(retired, Consequences(events=(event,)))
        return listed[Kid(before.kid)], retired

    async def drop(self, kid: str, ceased_at: datetime, actor: str) -> bool:
        """Destroy the private half of a key that ceased to sign at ``ceased_at``; False where there is none any more.

        That instant is kept too: what lives no more must not come back when a key after it is taken out of the line.
        """
        key = self.live.ring.keys[kid]
        context = {"kid": kid, "alg": key.alg, "ceased_at": ceased_at.isoformat()}
        event = Event(EventKind.KEY_DROPPED, actor, context=context)
        return await self.store.drop(Kid(kid), ceased_at, Consequences(events=(event,)))

    async def retire(self, kid: str, actor: str, *, origin: RequestOrigin | None = None) -> StoredKey:
        """Let a key verify only.

        Raises:
            NotFound, Conflict: No such key; or it is the one that signs, or verifies only already.
        """
        key = await self._find(kid)
        match self.live.ring.states[kid]:
            case KeyState.CURRENT:
                raise Conflict(f"{kid} is the key that signs {key.alg}: run `keys rotate --alg {key.alg} --now` first")
            case KeyState.NEXT:
                retired = replace(key, retired_at=self.clock.now())
                await self._write(retired, _because(EventKind.KEY_RETIRED, key, actor, origin))
                return retired
            case state:
                raise Conflict(f"{kid} is {state} already")

    async def revoke(
        self, kid: str, reason: str, actor: str, *, origin: RequestOrigin | None = None
    ) -> StoredKey | None:
        """Refuse whatever the key has signed, now and for good; where it signs, a successor takes over at once.

        Returns:
            The successor, where one was needed.

        Raises:
            NotFound, Conflict: No such key; or it has been revoked before.
        """
        key = await self._find(kid)
        state = self.live.ring.states[kid]
        if state is KeyState.REVOKED:
            raise Conflict(f"{kid} is revoked already")
        now = self.clock.now()
        successor = await self._make(Alg(key.alg), now) if state is KeyState.CURRENT else None
        consequences = Consequences(
            events=(
                _event(EventKind.KEY_REVOKED, key, actor, origin, reason=reason),
                *((_event(EventKind.KEY_CREATED, successor, actor, origin),) if successor else ()),
            ),
            cuts=(Cut(CutKind.KEY, kid, reason),),
        )
        revoked = replace(key, revoked_at=now, private_pem="")
        await self._write(revoked, consequences, successor)
        return successor

    async def require_known(self, kid: str) -> None:
        """Raises ``NotFound``: there is no such key."""
        await self.live.reload()
        if kid not in self.live.ring.keys:
            raise NotFound(f"no key {kid!a:.80}")

    async def reencrypt(self, actor: str) -> tuple[list[str], list[str]]:
        """Encrypt every private key anew with the first passphrase.

        Returns:
            The kids done, and those that no passphrase opens, which stay as they are.
        """
        done: list[str] = []
        unopened: list[str] = []
        for key in await self.store.list_keys():
            if not key.private_pem:
                continue
            private = await asyncio.to_thread(self.vault.open, key.private_pem)
            if private is None:
                unopened.append(key.kid)
                continue
            locked = await asyncio.to_thread(self.vault.lock, private)
            # Else somebody else has encrypted or destroyed it meanwhile, and there is nothing left to do.
            because = _because(EventKind.KEYS_REENCRYPTED, key, actor)
            if await self.store.relock(key.kid, key.private_pem, locked, because):
                done.append(key.kid)
        return done, unopened

    async def _make(self, alg: Alg, signs_from: datetime) -> StoredKey:
        private = await asyncio.to_thread(ALGORITHMS[alg].generate)
        jwk = signature_jwk(private.public_key(), alg)
        locked = await asyncio.to_thread(self.vault.lock, private)
        return StoredKey(Kid(jwk["kid"]), alg, jwk, locked, self.clock.now(), signs_from)

    async def _write(self, key: StoredKey, consequences: Consequences, successor: StoredKey | None = None) -> None:
        if not await self.store.replace(key, consequences, successor=successor):
            raise Conflict(f"{key.kid} has been revoked meanwhile")
        await self.live.reload()

    async def _find(self, kid: str) -> StoredKey:
        listed = {key.kid: key for key in await self.store.list_keys()}
        # After the list, so that whatever is listed has a state.
        await self.live.reload()
        if kid not in listed or kid not in self.live.ring.states:
            raise NotFound(f"no key {kid!r:.80}")
        return listed[Kid(kid)]

    def _states(self, alg: Alg) -> list[KeyState]:
        ring = self.live.ring
        return [ring.states[key.kid] for key in ring.keys.values() if key.alg is alg]


def parse_alg(name: str) -> Alg:
    """Raises ``InvalidInput`` where there is no such algorithm."""
    try:
        return Alg(name)
    except ValueError as problem:
        raise InvalidInput(f"alg: {name!r:.20} is none of {', '.join(Alg)}") from problem


def _because(kind: EventKind, key: StoredKey, actor: str, origin: RequestOrigin | None = None) -> Consequences:
    return Consequences(events=(_event(kind, key, actor, origin),))


def _event(
    kind: EventKind, key: StoredKey, actor: str, origin: RequestOrigin | None = None, **context: object
) -> Event:
    described = {"kid": key.kid, "alg": key.alg, "signs_from": key.signs_from.isoformat(), **context}
    return Event(kind, actor, origin=origin, context=described)
