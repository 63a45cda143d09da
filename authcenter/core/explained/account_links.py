"""Links in mails that act on an account, and passwords that do not count any more."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.USER_RESET_REQUIRED: Explanation(
        "Name and password are right, but an operator demands a new password first.",
        "The sign-in page leads to where the person sets one; so does the link of /password/forgot.",
    ),
    Rule.ACCOUNT_LINK_UNKNOWN: Explanation(
        "The link of a mail is none that was ever sent, or so old that it is forgotten.",
        "Some mail programs cut long links: copy it whole, or ask for a new one.",
    ),
    Rule.ACCOUNT_LINK_SPENT: Explanation(
        "The link of a mail has been used, or a newer one or a new password has ended it.",
        "Use the link of the latest mail, or ask for a new one.",
    ),
    Rule.ACCOUNT_LINK_EXPIRED: Explanation(
        "The link of a mail came too late.",
        "Ask for a new one; `accounts.reset_ttl` and `accounts.verify_ttl` say how long they last.",
    ),
    Rule.ACCOUNT_LINK_FOREIGN: Explanation(
        "Somebody opened the link that confirms another account's new address.",
        "The person must be signed in to the account whose address is to change.",
    ),
}
