"""An instance as far as its keys go: the store over Consul and the record, without a process around it."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from authcenter.audit.chain import GENESIS, link
from authcenter.core.clock import SystemClock
from authcenter.core.derived import MacKeys
from authcenter.core.event import Event
from authcenter.settings.consul_kv import ConsulAddress, ConsulKv
from authcenter.stores.consul.copy import KeysCopy
from authcenter.stores.consul.document import LABEL, DocumentSigner, KeysDocument
from authcenter.stores.consul.keys import ConsulSigningKeyStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.settled_keys import SqlKeysSettlement
from authcenter.stores.sql.transactions import Transactions
from tests.integration.policy.kv import read, remove, write
from tests.integration.stores.backends import Stores, sql_stores
from tests.servers.consul import ConsulServer

ISSUER = "https://issuer.example"
ROOT = b"a root secret of thirty-two bytes"


def signer(root: bytes = ROOT, issuer: str = ISSUER) -> DocumentSigner:
    return DocumentSigner(MacKeys.derive([root], LABEL), issuer)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What instances share, and the document as somebody at Consul sees it."""

    consul: ConsulServer
    database_url: str
    prefix: str

    @property
    def key(self) -> str:
        return f"{self.prefix}/keys"

    def text(self) -> str:
        found = read(self.consul, self.key)
        assert found is not None
        return found

    def document(self) -> KeysDocument:
        return signer().open(self.text())

    def write(self, text: str) -> None:
        write(self.consul, text, self.key)

    def empty(self) -> None:
        remove(self.consul, self.key)


class Instance:
    """A context: what it has opened is closed at the end."""

    def __init__(self, deployment: Deployment, state_dir: Path, root: bytes = ROOT) -> None:
        self.deployment, self.copy = deployment, KeysCopy(state_dir / "keys.last.json", signer(root))
        self._root, self._stack = root, AsyncExitStack()

    async def __aenter__(self) -> Self:
        database = Database(self.deployment.database_url)
        self._stack.push_async_callback(database.close)
        kv = ConsulKv(ConsulAddress.of(self.deployment.consul.url, "", {}))
        self._stack.push_async_callback(kv.close)
        stores = sql_stores(database)
        counted: list[Event] = stores.counted
        transactions = Transactions(database, SystemClock(), link, GENESIS, counted.append)
        self.settlement = SqlKeysSettlement(database, transactions)
        self.keys = ConsulSigningKeyStore(kv, self.deployment.key, signer(self._root), self.settlement, self.copy)
        self.stores: Stores = replace(stores, keys=self.keys)
        self.in_the_record = stores.keys
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def events(self) -> list[str]:
        return [row.event for row in await self.stores.proven_rows()]

    async def kids(self) -> list[str]:
        return sorted(key.kid for key in await self.keys.list_keys())
