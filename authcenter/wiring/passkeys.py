"""Passkeys, joined."""

from authcenter.accounts.ceremonies import Ceremonies
from authcenter.accounts.passkey_answers import RelyingParty
from authcenter.accounts.passkeys import Passkeys
from authcenter.accounts.second_factor_tries import SecondFactorTries
from authcenter.core.derived import SealingKeys
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.shared import ReplayCache
from authcenter.wiring.core import Core
from authcenter.wiring.federation import Federation


def build_passkeys(
    settings: BootSettings, core: Core, tries: SecondFactorTries, replay: ReplayCache, federation: Federation
) -> Passkeys:
    """Join them."""
    return Passkeys(
        store=core.stores.passkeys,
        find_user=core.accounts.find,
        ceremonies=Ceremonies(SealingKeys.derive(settings.secret_keys, "passkey ceremony"), replay, core.clock),
        recovery=core.second_factors.recovery,
        letters=core.letters,
        party=RelyingParty.of(settings.issuer),
        tries=tries,
        has_password=federation.accounts.has_other_way,
        providers=lambda: {each.name for each in federation.providers.offered()},
        brand=lambda: core.policy.current.brand.name,
        clock=core.clock,
    )
