"""The policy in Consul, for whoever pushes: ``<prefix>/policy`` and ``<prefix>/policy-versions/<version>``."""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from authcenter.settings.consul_kv import ConsulKv, Entry
from authcenter.settings.errors import ConsulUnavailable
from authcenter.settings.policy_store import KEPT_VERSIONS, Held, KeptVersion, PolicyStore


class ConsulPolicyStore(PolicyStore):
    """Compare-and-set on the index of the key's last change."""

    name: ClassVar[str] = "consul"

    def __init__(self, kv: ConsulKv, prefix: str) -> None:
        self._kv, self._key, self._versions = kv, f"{prefix}/policy", f"{prefix}/policy-versions/"

    async def held(self) -> Held | None:
        entry = (await self._kv.get(self._key)).entry
        return Held(entry.value.decode(errors="replace"), entry.index) if entry is not None else None

    async def replace(self, over: Held | None, new: KeptVersion) -> bool:
        written = await self._kv.put(self._key, new.text, over=int(over.mark) if over is not None else 0)
        if not written and not await self._holds(new.text):
            return False
        # In force is in force: a version that could not be kept now is kept by the push that replaces it.
        with suppress(ConsulUnavailable):
            await self.keep(new)
        return True

    async def keep(self, version: KeptVersion) -> None:
        await self._kv.put(self._versions + version.version, version.to_json())
        for entry in (await self._entries())[KEPT_VERSIONS:]:
            await self._kv.delete(entry)

    async def versions(self) -> Sequence[KeptVersion]:
        kept = (KeptVersion.from_json(entry.value) for entry in await self._entries())
        return [version for version in kept if version is not None]

    async def _holds(self, text: str) -> bool:
        """A write whose connection broke is sent a second time by aiohttp, and then loses against itself."""
        held = await self.held()
        return held is not None and held.text == text

    async def _entries(self) -> Sequence[Entry]:
        return sorted(await self._kv.under(self._versions), key=lambda entry: entry.index, reverse=True)
