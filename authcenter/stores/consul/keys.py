"""Signing keys in Consul: every change is one compare-and-set of the whole document.

Consul and the record cannot commit together. Consul comes first: its document is what every instance follows, and a
key revoked there is refused at once wherever it is read. What the change owes to the record (audit rows, cuts, the copy
of the keys) travels in the document itself, and the record notes which generation it has settled, in that same
transaction. The writer settles its own change before it says 'done'. Where it dies between the two, or the record is
gone, whoever has the document settles it, once, and nobody writes the next generation before that. The price: a change
may be in force for a moment before the audit log has it; the other order could cut off the key that signs.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from authcenter.core.cut import NO_CONSEQUENCES, Consequences, Cut, CutKind
from authcenter.core.errors import Conflict, StoreUnavailable
from authcenter.core.ids import Kid
from authcenter.settings.consul_kv import ConsulKv, Entry
from authcenter.settings.errors import ConsulUnavailable
from authcenter.stores.consul.copy import KeysCopy
from authcenter.stores.consul.document import DocumentSigner, KeysDocument
from authcenter.stores.consul.edits import Edit, adding, dropping, relocking, replacing, succeeding
from authcenter.stores.ports.keys import (
    FollowedKeys,
    KeysRefused,
    KeysSettlement,
    SettledKeys,
    SigningKeyStore,
    StoredKey,
)

_ASK_SECONDS = 0.5
"""How long a request waits for Consul before it gets what the record has."""

_TRIES = 20
_LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class _Held:
    """What is known of the keys. ``text``: the document as Consul had it; empty: the keys are the record's copy."""

    document: KeysDocument
    text: str = ""


class ConsulSigningKeyStore(SigningKeyStore, FollowedKeys):
    """Keys in one document of Consul.

    What is known never goes back: neither behind what this process has seen, nor behind the copy on disk, nor behind
    the generation in the record. That Consul has no document means that it has lost it: the newest known is put back as
    it was, or, where there never was one, made of the keys in the record.

    Attributes:
        followed, copy_problem: See ``FollowedKeys``.
    """

    def __init__(self, kv: ConsulKv, key: str, signer: DocumentSigner, record: KeysSettlement, copy: KeysCopy) -> None:
        self._kv, self._key, self._signer, self._record, self._copy = kv, key, signer, record, copy
        self._held: _Held | None = None
        self._settled = -1
        self.followed = False
        self.copy_problem = ""

    @property
    def behind(self) -> bool:
        return self._held is None or self._held.document.generation > self._settled

    @property
    def newest(self) -> tuple[int, str] | None:
        held = self._held
        return (held.document.generation, held.text) if held is not None and held.text else None

    async def list_keys(self) -> Sequence[StoredKey]:
        """While Consul is silent: the newest that this machine or the record knows."""
        if not self.followed or self._held is None:
            await self.refresh()
        return sorted((await self._known()).document.keys, key=lambda key: key.created_at)

    async def refresh(self) -> None:
        await self._known()
        if not await self._heard():
            await self._take_settled()

    async def offer(self, text: str) -> None:
        await self._take(text)

    async def _take(self, text: str) -> KeysDocument:
        held = await self._known()
        document = self._signer.open(text)
        known = held.document
        if document.generation < known.generation:
            raise KeysRefused(
                f"its generation {document.generation} is behind {known.generation}, which was seen before"
            )
        if document.generation == known.generation and held.text and document.keys != known.keys:
            raise KeysRefused(f"it is not the one of generation {known.generation} that was seen before")
        self._held = _Held(document, text)
        return document

    async def settle(self) -> bool:
        await self._known()
        if self.behind:
            # Also while Consul is silent.
            await self._settle(may_be_overtaken=True)
        known, index = await self._read()
        if index:
            return False
        # Of a new deployment, whoever makes the first key makes the document.
        put_back = bool(known.keys) and await self._put(
            self._signer.sign(max(known.generation, 1), known.keys, known.because), 0
        )
        if put_back:
            await self._read()
        return put_back

    async def restore(self, consequences: Consequences) -> int:
        """Put the newest known keys in the place of a document that is refused, and tell the generation they have now.

        Raises:
            Conflict: The document is good; or somebody else has changed it meanwhile.
            ConsulUnavailable, StoreUnavailable: Nothing has changed, or it is not known.
        """
        await self._known()
        entry = await self._entry()
        if entry is not None and await self._is_good(entry):
            raise Conflict("the keys document in Consul is good: there is nothing to restore")
        await self._take_settled()
        await self._settle()
        known = (await self._known()).document
        generation = known.generation + 1
        if not await self._write(generation, known.keys, consequences, entry.index if entry is not None else 0):
            raise Conflict("somebody else has changed the keys document meanwhile: look at it again")
        return generation

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None:
        await self._change(adding(key), consequences)

    async def succeed(
        self, key: StoredKey, predecessor: Kid | None, consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        return await self._change(succeeding(key, predecessor), consequences)

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        return await self._change(replacing(key, successor), consequences)

    async def relock(self, kid: Kid, before: str, after: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        return await self._change(relocking(kid, before, after), consequences)

    async def drop(self, kid: Kid, ceased_at: datetime, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        return await self._change(dropping(kid, ceased_at), consequences)

    async def _change(self, edit: Edit, consequences: Consequences) -> bool:
        for _ in range(_TRIES):
            base, index = await self._read()
            keys = edit({key.kid: key for key in base.keys})
            if keys is None:
                return False
            if await self._write(base.generation + 1, list(keys.values()), consequences, index):
                return True
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - jitter, not a secret
        raise Conflict("others change the keys all the time: try again")

    async def _read(self) -> tuple[KeysDocument, int]:
        """What Consul has now, taken over and settled, and the index that a change of it is compared by.

        Where it has none: what is known, and 0. Raises ``KeysRefused``.
        """
        entry = await self._entry()
        while entry is not None:
            try:
                document = await self._take(_text(entry))
                await self._settle()
            except KeysRefused:
                # Perhaps only overtaken: by the time it is read, the next generation may be known already.
                refused, entry = entry, await self._entry()
                if entry is not None and entry.index == refused.index:
                    raise
            else:
                return document, entry.index
        await self._take_settled()
        # Who writes the first document meanwhile makes the compare-and-set over nothing fail.
        await self._settle(may_be_overtaken=True)
        return (await self._known()).document, 0

    async def _write(self, generation: int, keys: Sequence[StoredKey], consequences: Consequences, over: int) -> bool:
        text = self._signer.sign(generation, keys, consequences)
        if not await self._put(text, over):
            return False
        if (await self._known()).document.generation < generation:
            self._held = _Held(self._signer.open(text), text)
        try:
            await self._settle(may_be_overtaken=True)
        except StoreUnavailable as failure:
            raise StoreUnavailable(
                f"the keys are changed, generation {generation}; the audit log has it once the database is back:"
                f" {failure.hint}"
            ) from failure
        return True

    async def _put(self, text: str, over: int) -> bool:
        try:
            if await self._kv.put(self._key, text, over=over):
                return True
            # A write whose connection broke is sent a second time by aiohttp, and then loses against itself.
            entry = await self._entry()
        except ConsulUnavailable as failure:
            raise ConsulUnavailable(
                f"{failure.hint}; `authcenter keys list` tells whether the keys changed"
            ) from failure
        return entry is not None and _text(entry) == text

    async def _settle(self, *, may_be_overtaken: bool = False) -> None:
        """Commit what the newest known generation owes to the record.

        Raises:
            KeysRefused: The record knows a newer one, and ours was not just written.
        """
        document = (await self._known()).document
        settled = await self._record.settled()
        if settled.generation > document.generation and not may_be_overtaken:
            raise KeysRefused(f"its generation {document.generation} is behind {settled.generation}, which is recorded")
        if settled.generation < document.generation:
            await self._record.settle(document.generation, document.keys, _owed(document, settled))
        self._settled = max(settled.generation, document.generation)

    async def _known(self) -> _Held:
        """What is known; at first what this machine and the record have: without them an old document would pass."""
        if self._held is None:
            copied = await asyncio.to_thread(self._copied)
            held = await self._of_record()
            if self._held is None:
                newer = copied is not None and copied.document.generation >= held.document.generation
                self._held = copied if copied is not None and newer else held
        return self._held

    def _copied(self) -> _Held | None:
        try:
            document = self._copy.read()
        except (OSError, KeysRefused) as problem:
            self.copy_problem = problem.hint if isinstance(problem, KeysRefused) else str(problem)
            return None
        # Its keys are as good as Consul's, but Consul decides what the document of that generation is.
        return _Held(document) if document is not None else None

    async def _of_record(self) -> _Held:
        settled = await self._record.settled()
        self._settled = max(self._settled, settled.generation)
        return _Held(KeysDocument(self._signer.issuer, settled.generation, settled.keys))

    async def _take_settled(self) -> None:
        held = await self._of_record()
        # Only now: others may have learnt something while the record was asked.
        known = (await self._known()).document
        # Before there was a document, the record may have changed by itself.
        if held.document.generation > known.generation or held.document.generation == known.generation == 0:
            self._held = held

    async def _heard(self) -> bool:
        try:
            async with asyncio.timeout(_ASK_SECONDS if self.followed else None):
                entry = await self._entry()
        except (TimeoutError, ConsulUnavailable):
            return False
        return entry is not None and await self._is_good(entry)

    async def _entry(self) -> Entry | None:
        return (await self._kv.get(self._key)).entry

    async def _is_good(self, entry: Entry) -> bool:
        try:
            await self.offer(_text(entry))
        except KeysRefused:
            return False
        return True


def _owed(document: KeysDocument, settled: SettledKeys) -> Consequences:
    """What the record has to commit with this generation.

    Also the cut of every key that was revoked meanwhile: of a record that lost generations, or was set back.
    """
    cut = {cut.value for cut in document.because.cuts if cut.kind is CutKind.KEY}
    cut |= {key.kid for key in settled.keys if key.revoked_at is not None}
    missing = [key.kid for key in document.keys if key.revoked_at is not None and key.kid not in cut]
    lacking = [Cut(CutKind.KEY, kid, "revoked") for kid in missing]
    return replace(document.because, cuts=[*document.because.cuts, *lacking])


def _text(entry: Entry) -> str:
    # Bytes that are no text are for the reader of the document to refuse.
    return entry.value.decode(errors="surrogateescape")
