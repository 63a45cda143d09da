"""Second factors."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.USER_SECOND_FACTOR_DUE: Explanation(
        "The password was right, but the user has a second factor, which the password grant cannot ask for.",
        "Send otp or recovery_code, or use the code flow; `authcenter users reset-second-factors` for who lost theirs.",
    ),
    Rule.SECOND_FACTOR_WRONG: Explanation(
        "The one-time code does not belong to the user's secret, now or 30 seconds either way.",
        "If it keeps happening: is the clock of the phone, or of this server, wrong?",
    ),
    Rule.SECOND_FACTOR_REPLAYED: Explanation(
        "The one-time code, or a newer one, has been used before.",
        "Wait for the next code. If the user did not use it, somebody has seen it.",
    ),
    Rule.SECOND_FACTOR_STALE: Explanation(
        "The password was proved too long before the second factor, or the account has changed in between.",
        "The user signs in again; the hint says which it was.",
    ),
    Rule.RECOVERY_CODE_WRONG: Explanation(
        "The recovery code is none of the user's, or has been used.",
        "New codes end the old ones. Who has none left is helped by `authcenter users reset-second-factors`.",
    ),
    Rule.CONSOLE_NOT_OPERATOR: Explanation(
        "Somebody who is signed in without the role `operator` asked for the console, and got 404.",
        "Give them the role if they are to have it; else look at what else they asked for.",
    ),
}
