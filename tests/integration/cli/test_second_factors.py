"""``authcenter users reset-second-factors``."""

import pyotp

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.passkey import Passkey
from authcenter.wiring.core import Core
from tests.integration.cli.console import Console
from tests.workbench import ORIGIN


def test_second_factors_are_taken_away_from_who_lost_them(console: Console) -> None:
    made = console.user("jo")
    secret, codes = console.act(_enrol)
    assert console.act(_due)
    dump = console.dump()
    assert not [one for one in (secret, *codes, codes[0].replace("-", "")) if one in dump]
    assert console.told("users", "reset-second-factors", "JO@example.com") == made
    assert not console.act(_due)
    for table in ("totp_secrets", "passkeys", "recovery_codes"):
        assert console.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert ("second_factor.reset",) in console.rows("SELECT event FROM auth_audit")


def test_where_there_are_none_nothing_happens(console: Console) -> None:
    console.user("jo")
    before = console.rows("SELECT count(*) FROM auth_audit")
    console.told("users", "reset-second-factors", "jo")
    assert console.rows("SELECT count(*) FROM auth_audit") == before
    assert console.refused("users", "reset-second-factors", "nobody", exit_code=1) == "no user 'nobody'"


async def _enrol(core: Core) -> tuple[str, list[str]]:
    user = await core.accounts.get("jo")
    await core.second_factors.begin(user)
    begun = await core.second_factors.begun(user)
    assert begun is not None
    passkey = Passkey(b"id", user.subject, b"key", 0, (), "", "My phone", False, core.clock.now())
    assert (await core.stores.passkeys.add(passkey, [], 1, NO_CONSEQUENCES)).done
    code = pyotp.TOTP(begun.secret).at(int(core.clock.seconds()))
    return begun.secret, await core.second_factors.confirm(user, code, "en", ORIGIN)


async def _due(core: Core) -> bool:
    return await core.second_factors.due(await core.accounts.get("jo"))
