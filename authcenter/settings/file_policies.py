"""The policy file, for whoever pushes: the file itself, and ``<file>.versions/<version>.json`` beside it."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from authcenter.settings.durable import write_durably
from authcenter.settings.policy_store import KEPT_VERSIONS, Held, KeptVersion, PolicyStore

_READABLE = 0o644


class FilePolicyStore(PolicyStore):
    """Compares contents, under a lock that all who push take; whoever edits by hand does not."""

    name: ClassVar[str] = "file"

    def __init__(self, path: Path) -> None:
        # A link is followed, and stays one.
        self._path = path.resolve()
        self._versions = self._path.with_name(f"{self._path.name}.versions")

    async def held(self) -> Held | None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        return Held(content.decode(errors="replace"), hashlib.sha256(content).hexdigest())

    async def replace(self, over: Held | None, new: KeptVersion) -> bool:
        with self._locked():
            if await self.held() != over:
                return False
            mode = self._path.stat().st_mode & 0o777 if over is not None else _READABLE
            write_durably(self._path, new.text, mode)
            self._keep(new)
        return True

    async def keep(self, version: KeptVersion) -> None:
        with self._locked():
            self._keep(version)

    async def versions(self) -> Sequence[KeptVersion]:
        kept = (KeptVersion.from_json(file.read_bytes()) for file in self._files())
        return [version for version in kept if version is not None]

    def _keep(self, version: KeptVersion) -> None:
        write_durably(self._versions / f"{version.version}.json", version.to_json(), _READABLE)
        for file in self._files()[KEPT_VERSIONS:]:
            file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._versions.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._versions.mkdir(mode=0o755, parents=True, exist_ok=True)
        directory = os.open(self._versions, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)
