"""What works on the record, joined: for the service and for the command line alike."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from authcenter.accounts.breached_passwords import BreachedPasswords
from authcenter.accounts.erasure import AccountErasure
from authcenter.accounts.letters import Letters
from authcenter.accounts.password_rules import PasswordRules
from authcenter.accounts.passwords import PasswordHashing
from authcenter.accounts.recovery_codes import RecoveryCodes
from authcenter.accounts.second_factors import SecondFactors
from authcenter.accounts.users import Accounts
from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.clients.initial_tokens import InitialTokenRegistry
from authcenter.clients.methods.secret import ClientSecrets
from authcenter.clients.registry import ClientRegistry
from authcenter.clients.resources import ResourceRegistry
from authcenter.core.clock import Clock
from authcenter.core.derived import MacKeys, SealingKeys
from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.grants.third_party import third_party_grant_types
from authcenter.keys.pausing import RotationBrake
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.keys.rotation import KeyRotation
from authcenter.keys.source import LiveKeyRing
from authcenter.keys.vault import KeyVault
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.spread import RevocationSpread
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.verifier import AccessTokenVerifier
from authcenter.wiring.record import Stores

BUILT_IN_GRANTS = frozenset(
    {"authorization_code", "client_credentials", "password", "refresh_token", DEVICE_CODE_GRANT}
)
"""The grant types that need no package of a third party."""


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that both the service and the command line are made of, over the record itself."""

    stores: Stores
    policy: LivePolicy
    clock: Clock
    hashing: PasswordHashing
    secrets: ClientSecrets
    keys: LiveKeyRing
    rotation: KeyRotation
    brake: RotationBrake
    lifetimes: TokenLifetimes
    revocations: Revocations
    families: TokenFamilies
    verifier: AccessTokenVerifier
    accounts: Accounts
    letters: Letters
    second_factors: SecondFactors
    password_rules: PasswordRules
    reset_macs: MacKeys
    erasure: AccountErasure
    clients: ClientRegistry
    resources: ResourceRegistry
    initial_tokens: InitialTokenRegistry
    checkpoint_keys: CheckpointKeys


def build_core(
    settings: BootSettings,
    policy: LivePolicy,
    stores: Stores,
    hashing: PasswordHashing,
    clock: Clock,
    spread: RevocationSpread | None = None,
) -> Core:
    """Join what works on the record. No I/O and no globals.

    Args:
        spread: Asked at every validation, where the policy says ``strict``.
    """
    roots = settings.secret_keys
    checkpoint_keys = CheckpointKeys.derive(roots)
    vault = KeyVault(settings.key_passphrases)
    in_consul = stores.keys_in_consul
    keys = LiveKeyRing(stores.keys, vault, clock, refresh=in_consul.refresh if in_consul is not None else None)
    lifetimes = TokenLifetimes(policy)
    longest = LONGEST_TOKEN + lifetimes.leeway
    revocations = Revocations(
        stores.revocations, clock, lambda: lifetimes.leeway, spread, lambda: policy.current.revocation.mode == "strict"
    )
    letters = Letters(SealingKeys.derive(roots, "mail"))
    secrets = ClientSecrets(MacKeys.derive(roots, "client secret"), hashing)
    return Core(
        stores=stores,
        policy=policy,
        clock=clock,
        hashing=hashing,
        secrets=secrets,
        keys=keys,
        rotation=KeyRotation(stores.keys, keys, vault, clock),
        brake=RotationBrake(stores.pauses, clock),
        lifetimes=lifetimes,
        revocations=revocations,
        families=TokenFamilies(stores.refresh_tokens, MacKeys.derive(roots, "refresh token"), clock),
        verifier=AccessTokenVerifier(settings.issuer, keys, revocations, clock, lambda: policy.current.tokens.leeway),
        accounts=Accounts(stores.users, hashing, clock, longest),
        letters=letters,
        second_factors=SecondFactors(
            totp=stores.totp,
            codes=stores.recovery_codes,
            factors=stores.factors,
            sealing=SealingKeys.derive(roots, "totp"),
            recovery=RecoveryCodes(MacKeys.derive(roots, "recovery code")),
            letters=letters,
            brand=lambda: policy.current.brand.name,
            clock=clock,
        ),
        password_rules=PasswordRules(
            hashing,
            lambda: (policy.current.brand.name, urlsplit(settings.issuer).hostname or ""),
            BreachedPasswords(settings.breached_passwords_file) if settings.breached_passwords_file else None,
        ),
        reset_macs=MacKeys.derive(roots, "password reset link"),
        erasure=AccountErasure(
            stores.users, stores.persons, stores.audit, letters, clock, longest, checkpoint_keys.prove
        ),
        clients=ClientRegistry(stores.clients, secrets, clock, known_grant_types(), longest),
        resources=ResourceRegistry(stores.resources, clock),
        initial_tokens=InitialTokenRegistry(stores.initial_tokens, clock),
        checkpoint_keys=checkpoint_keys,
    )


def known_grant_types() -> frozenset[str]:
    """Every grant type that this installation serves, third parties' included."""
    return BUILT_IN_GRANTS | third_party_grant_types()
