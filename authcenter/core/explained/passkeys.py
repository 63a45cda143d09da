"""Passkeys."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.PASSKEY_CEREMONY: Explanation(
        "What came back answers no challenge of a page that this browser was shown within ten minutes, for this.",
        "The page was open for too long, cookies are off, or somebody forged the form. The user tries again.",
    ),
    Rule.PASSKEY_REPLAYED: Explanation(
        "The challenge has been answered before.",
        "A form sent twice; if the user sent it once, somebody else has seen it.",
    ),
    Rule.PASSKEY_MALFORMED: Explanation(
        "What came back is not what browsers answer (WebAuthn), or more than this server asked for.",
        "The hint names what is wrong. Without any answer: the script of the page did not run.",
    ),
    Rule.PASSKEY_CHALLENGE: Explanation(
        "The passkey signed another challenge than the one that the page carried.",
        "Two pages were mixed up, or somebody put an older answer in the place of this one.",
    ),
    Rule.PASSKEY_ORIGIN: Explanation(
        "The passkey was used on a page of another origin, or in another site's frame.",
        "AUTHCENTER_ISSUER must be the address that people see; otherwise this was phishing.",
    ),
    Rule.PASSKEY_SIGNATURE: Explanation(
        "The answer does not hold: its signature, the host it is for, or what the authenticator says of itself.",
        "The hint names the check. A host that was renamed (AUTHCENTER_ISSUER) ends all passkeys made for the old one.",
    ),
    Rule.PASSKEY_UNVERIFIED: Explanation(
        "The authenticator did not make sure who holds it (no PIN, fingerprint or face), so that it proves one factor.",
        "The user sets one up on the device, or uses the passkey as the second step after the password.",
    ),
    Rule.PASSKEY_UNKNOWN: Explanation(
        "Nobody here has this passkey: it was removed, or is of another installation under the same host.",
        "The user deletes it on the device, signs in another way and adds a new one.",
    ),
    Rule.PASSKEY_FOREIGN: Explanation(
        "The passkey belongs to another person than the one who is signing in, or than the device says.",
        "Several people share the device; or an answer was tampered with.",
    ),
    Rule.PASSKEY_COUNTER: Explanation(
        "The passkey has signed more often, by its own count, than this answer says: there may be a copy of it. Or it "
        "was removed while it was being used.",
        "Ask the user who else may have the device; they remove the passkey on /account/passkeys and add a new one.",
    ),
    Rule.PASSKEY_TAKEN: Explanation(
        "The passkey that was to be added is known already.",
        "A form sent twice; or the device made it for another account here.",
    ),
    Rule.PASSKEYS_FULL: Explanation(
        "The user has as many passkeys as there may be (20), or has been disabled meanwhile.",
        "They remove one on /account/passkeys.",
    ),
    Rule.PASSKEY_LAST: Explanation(
        "The user wants to remove the last passkey, and has neither a password nor an identity that could sign in.",
        "They set a password by /password/forgot, or link an identity, first.",
    ),
}
