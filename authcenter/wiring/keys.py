"""The signing keys in Consul, joined."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from authcenter.core.derived import MacKeys
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.boot import BootSettings
from authcenter.settings.consul import ConsulPolicySource
from authcenter.settings.consul_kv import ConsulKv
from authcenter.stores.consul.copy import KeysCopy
from authcenter.stores.consul.document import LABEL, DocumentSigner
from authcenter.stores.consul.keys import ConsulSigningKeyStore
from authcenter.stores.ports.keys import KeysSettlement
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.wiring.policy import open_kv
from authcenter.workers.follow_keys import KeysFollower, KeysReport, NothingToFollow


@asynccontextmanager
async def open_keys_in_consul(
    settings: BootSettings, environ: Mapping[str, str], record: KeysSettlement
) -> AsyncIterator[ConsulSigningKeyStore]:
    """Nothing is asked before it is used. Raises ``SettingsError``: a file that Consul's variables name."""
    async with open_kv(settings, environ) as kv:
        yield keys_in_consul(settings, kv, record)


def keys_in_consul(settings: BootSettings, kv: ConsulKv, record: KeysSettlement) -> ConsulSigningKeyStore:
    """The store over one Consul and one record."""
    signer = DocumentSigner(MacKeys.derive(settings.secret_keys, LABEL), settings.issuer)
    return ConsulSigningKeyStore(kv, settings.keys_key, signer, record, KeysCopy(settings.keys_copy, signer))


@asynccontextmanager
async def open_keys_follower(
    settings: BootSettings,
    environ: Mapping[str, str],
    store: ConsulSigningKeyStore | None,
    keys: LiveKeyRing,
    health: Health,
    metrics: Metrics,
    log: Logger,
) -> AsyncIterator[KeysFollower | NothingToFollow]:
    """Nothing is asked before the follower is told to. ``store`` None: the keys are in the record."""
    if store is None:
        yield NothingToFollow()
        return
    signer = DocumentSigner(MacKeys.derive(settings.secret_keys, LABEL), settings.issuer)
    report = KeysReport(health, metrics, log)
    # A connection of its own: the one of the store is for questions that somebody waits for.
    async with open_kv(settings, environ) as kv:
        source = ConsulPolicySource(kv, settings.keys_key, report.note_answer)
        yield KeysFollower(store, source, keys, KeysCopy(settings.keys_copy, signer).keep, report, log)
