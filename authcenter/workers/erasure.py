"""Empties what the audit log still says of somebody whose account is deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.erasure import AccountErasure
from authcenter.core.errors import Conflict
from authcenter.workers.errands import ErrandFailed


@dataclass(frozen=True, slots=True)
class AuditErasure:
    """Does the jobs that deleted accounts leave."""

    erasure: AccountErasure

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Empty the rows about one person; once there are none left, a no-op.

        Raises:
            ErrandFailed: Others are at it.
            StoreUnavailable: Cannot tell.
        """
        try:
            await self.erasure.erase_rest(payload["subject"])
        except Conflict as conflict:
            raise ErrandFailed(str(conflict)) from conflict
