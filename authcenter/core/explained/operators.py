"""What operators ask for over HTTP."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.CALLER_NOT_OPERATOR: Explanation(
        "The token holds and has the scope `authcenter:admin`, but its person does not have the role `operator`.",
        "`authcenter users set-roles NAME --role operator`, with the roles it has; or let a client ask for itself.",
    ),
    Rule.QUERY_UNKNOWN: Explanation(
        "The query has a parameter that this path of the admin API does not know.",
        "The hint names it; `/openapi.json` has those there are.",
    ),
    Rule.PAGE_MALFORMED: Explanation(
        "`limit` is out of range, or `cursor` is not one that an earlier page gave.",
        "Ask without `cursor` for the first page, and pass on `next_cursor` as it came.",
    ),
}
