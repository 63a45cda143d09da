"""An authenticator app, on a phone with the workbench's clock."""

from dataclasses import dataclass

import pyotp

from authcenter.core.second_factor import CODE_SECONDS
from tests.workbench import ORIGIN, Workbench

_AROUND = (*range(-4, 5), *(86_400 // CODE_SECONDS + step for step in range(-4, 60)))
"""The steps that tests look at, from the enrolment on."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Shows codes of one secret.

    Attributes:
        recovery_codes: What was shown when it was set up.
    """

    bench: Workbench
    secret: str
    recovery_codes: tuple[str, ...] = ()

    def code(self, steps_off: int = 0) -> str:
        """The code now, or so many steps from now."""
        return pyotp.TOTP(self.secret).at(int(self.bench.clock.seconds()) + CODE_SECONDS * steps_off)

    def wrong_code(self) -> str:
        """Six digits that are none of those around now."""
        near = {self.code(step) for step in range(-3, 4)}
        return next(code for number in range(10) if (code := f"{number:06}") not in near)


async def enrol(bench: Workbench) -> Authenticator:
    """Alice's, in use since yesterday: no code of now has been used."""
    factors, alice = bench.core.second_factors, bench.alice
    bench.clock.advance(-86_400)
    app = None
    # One code in a million is also that of the next step: no test is to hang on that.
    while app is None or len({app.code(step) for step in _AROUND}) < len(_AROUND):
        assert await factors.begin(alice)
        begun = await factors.begun(alice)
        assert begun is not None
        app = Authenticator(bench, begun.secret)
    codes = await factors.confirm(alice, app.code(), "en", ORIGIN)
    bench.clock.advance(86_400)
    return Authenticator(bench, begun.secret, tuple(codes))
