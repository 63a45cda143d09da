"""What each rule means and what to do about it, for operators."""

from authcenter.core.explained import (
    account_links,
    federation,
    operators,
    passkeys,
    requests,
    second_factors,
    sign_in,
    tokens,
)
from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    **requests.EXPLANATIONS,
    **tokens.EXPLANATIONS,
    **sign_in.EXPLANATIONS,
    **second_factors.EXPLANATIONS,
    **passkeys.EXPLANATIONS,
    **account_links.EXPLANATIONS,
    **federation.EXPLANATIONS,
    **operators.EXPLANATIONS,
}
