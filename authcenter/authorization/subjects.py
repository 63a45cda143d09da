"""What a person is called at a client: by the account's subject, or by a name of its own in each sector (Core §8)."""

import secrets
from dataclasses import dataclass

from authcenter.core.client import Client
from authcenter.stores.ports.codes import PairwiseSubjects

PAIRWISE_PREFIX = "pws_"
_BYTES = 16


@dataclass(frozen=True, slots=True)
class ClientSubjects:
    """Names people."""

    pairwise: PairwiseSubjects

    async def known_as(self, subject: str, client: Client) -> str | None:
        """The pairwise name of ``subject`` at ``client``; None where the client knows people by their subject.

        Drawn once and kept: a name that were computed from a secret would change with it.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        party = client.relying_party
        if party.subject_type != "pairwise":
            return None
        return await self.pairwise.known_as(subject, party.sector, PAIRWISE_PREFIX + secrets.token_urlsafe(_BYTES))
