"""The hot policy, joined: Consul with a copy on disk, or the file."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from authcenter.settings.boot import BootSettings
from authcenter.settings.consul import ConsulPolicySource
from authcenter.settings.consul_kv import ConsulAddress, ConsulKv
from authcenter.settings.consul_policies import ConsulPolicyStore
from authcenter.settings.errors import PolicyError
from authcenter.settings.file import FilePolicySource, boot_policy
from authcenter.settings.file_policies import FilePolicyStore
from authcenter.settings.last_good import LastGoodPolicy
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.policy_store import PolicyStore
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.follow_policy import ConsulReport, PolicyFollower

COPY = "last good copy"


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A policy and where it is from.

    Attributes:
        source: ``file``, ``consul`` or ``COPY``; empty: nobody knows, and ``policy`` is the built-in one.
        problems: Why the copy is not used.
    """

    policy: Policy
    source: str
    problems: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.source)


def policy_at_boot(settings: BootSettings) -> KnownPolicy:
    """What a process begins with, from this machine alone.

    Raises:
        PolicyError: The policy file does not validate. A copy that does not is no reason not to start: it is left out.
    """
    if not settings.consul_url:
        return KnownPolicy(boot_policy(settings.policy_file, may_be_absent=settings.policy_file_is_default), "file")
    try:
        kept = LastGoodPolicy(settings.policy_copy).read()
    except PolicyError as error:
        return KnownPolicy(Policy(), "", error.problems)
    return KnownPolicy(Policy(), "") if kept is None else KnownPolicy(kept, COPY)


async def policy_now(settings: BootSettings, environ: Mapping[str, str]) -> KnownPolicy:
    """What is in force now, for a command: what Consul holds where it answers, or else as ``policy_at_boot``.

    Raises:
        PolicyError, SettingsError: The policy file, or a setting for Consul, cannot be used.
    """
    at_boot = policy_at_boot(settings)
    if not settings.consul_url:
        return at_boot
    async with open_kv(settings, environ) as kv:
        source = ConsulPolicySource(kv, settings.policy_key)
        text = await source.read()
    if text is None:
        return at_boot
    try:
        return KnownPolicy(parse_policy(text, source=source.name), source.name)
    except PolicyError:
        # Instances refuse it as well, and go on with the last good one.
        return at_boot


@asynccontextmanager
async def open_policy_store(settings: BootSettings, environ: Mapping[str, str]) -> AsyncIterator[PolicyStore]:
    """Where policies are pushed to."""
    if not settings.consul_url:
        yield FilePolicyStore(settings.policy_file)
        return
    async with open_kv(settings, environ) as kv:
        yield ConsulPolicyStore(kv, settings.consul_prefix)


@asynccontextmanager
async def open_policy_follower(
    settings: BootSettings,
    environ: Mapping[str, str],
    live: LivePolicy,
    begun_with: KnownPolicy,
    health: Health,
    metrics: Metrics,
    log: Logger,
) -> AsyncIterator[PolicyFollower]:
    """Nothing is asked before the follower is told to. Without a policy this process is not ready."""
    health.policy_source = begun_with.source
    if not begun_with.known:
        health.missing.add("policy")
    if begun_with.problems:
        log.error("policy_copy_ignored", problems=begun_with.problems)
    if not settings.consul_url:
        yield PolicyFollower(live, FilePolicySource(settings.policy_file), _read_already, lambda _: None)
        return
    copy = LastGoodPolicy(settings.policy_copy)

    def keep(text: str) -> None:
        try:
            copy.keep(text)
        except OSError as failure:
            log.warning("policy_copy_not_kept", file=str(copy.file), hint=str(failure))

    async with open_kv(settings, environ) as kv:
        source = ConsulPolicySource(kv, settings.policy_key, ConsulReport(health, metrics, log).note)
        yield PolicyFollower(live, source, source.read, keep)


async def _read_already() -> str | None:
    return None


@asynccontextmanager
async def open_kv(settings: BootSettings, environ: Mapping[str, str]) -> AsyncIterator[ConsulKv]:
    """Consul, asked for the first time when it is used."""
    kv = ConsulKv(ConsulAddress.of(settings.consul_url, settings.consul_token.get_secret_value(), environ))
    try:
        yield kv
    finally:
        await kv.close()
