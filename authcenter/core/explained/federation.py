"""Signing in by an identity elsewhere."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.PROVIDER_UNKNOWN: Explanation(
        "The path names an identity provider that the policy does not have.",
        "`identity_providers` in the policy; an old bookmark, or the provider was taken out.",
    ),
    Rule.PROVIDER_UNAVAILABLE: Explanation(
        "An identity provider does not answer, not in time, or with a status that says so.",
        "The hint names the address. Private networks must be listed in `fetch.allow_private`; people can use another "
        "way to sign in meanwhile.",
    ),
    Rule.PROVIDER_ANSWER: Explanation(
        "An identity provider's answer does not hold to its protocol: metadata, tokens or what it tells of the person.",
        "The hint names what is wrong; compare `identity_providers` with what the provider publishes.",
    ),
    Rule.PROVIDER_REFUSED: Explanation(
        "The identity provider refused: the person's sign-in, or our client and the code.",
        "invalid_client: AUTHCENTER_IDENTITY_PROVIDER_SECRETS; redirect_uri_mismatch: register the redirect URI there; "
        "invalid_grant: the code was spent or made up.",
    ),
    Rule.PROVIDER_ID_TOKEN: Explanation(
        "The identity provider's ID token does not hold; the hint names the check.",
        "Times: compare the clocks. aud: `client_id` in the policy. Otherwise somebody put a token of theirs there.",
    ),
    Rule.PROVIDER_MIX_UP: Explanation(
        "An answer came back that says to be of another provider than was asked (RFC 9207), or of none.",
        "An attack by one of the providers; or `issuer` in the policy is not what the provider calls itself.",
    ),
    Rule.PROVIDER_STATE: Explanation(
        "What came back from a provider answers no sign-in that this browser began, or it came back before.",
        "The page was reloaded, the sign-in open for too long, cookies are off, or somebody forged the link.",
    ),
    Rule.IDENTITY_UNVERIFIED: Explanation(
        "Nobody here has this identity, and its provider vouches for no address that an account could be found by.",
        "The person signs in another way and links it on /account/identities; `trust_addresses` in the policy.",
    ),
    Rule.IDENTITY_ADDRESS: Explanation(
        "There is an account with the identity's address, but the address has not been verified here.",
        "The person signs in to that account and links the identity on /account/identities.",
    ),
    Rule.IDENTITY_STRANGER: Explanation(
        "Nobody here has this identity, and the policy lets its provider open no accounts.",
        "`new_accounts` of the provider, and `accounts.signup`.",
    ),
    Rule.IDENTITY_TAKEN: Explanation(
        "The identity that somebody wants to link signs in to another account.",
        "It has to be unlinked there first.",
    ),
    Rule.IDENTITY_OTHER_PERSON: Explanation(
        "Between leaving to link an identity and coming back, the browser's session ended or became another person's.",
        "Start again on /account/identities.",
    ),
    Rule.IDENTITY_LAST: Explanation(
        "The identity is the account's last way to sign in.", "Set a password or link another identity first."
    ),
}
