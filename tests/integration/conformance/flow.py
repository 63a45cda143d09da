"""The authorization code flow from the client's link to the tokens, with everything checked on the way."""

from dataclasses import dataclass, replace

from tests.integration.conformance.deployment import Deployment
from tests.integration.conformance.person import Person
from tests.integration.conformance.relying_party import RelyingParty, Tokens


@dataclass(frozen=True, slots=True)
class Flow:
    """A client, and a person at a browser."""

    deployment: Deployment
    client: RelyingParty
    person: Person

    def by(self, client: RelyingParty) -> "Flow":
        """The same person at another client."""
        return replace(self, client=client)

    def code(self, **changes: str | None) -> str:
        """A code: the pages are answered and the answer is checked."""
        request = self.client.request(**changes)
        return self.client.code(self.person.visit(self.client.url(request)), request)

    def refused(self, **changes: str | None) -> str:
        """The error of a request that must be refused by calling the client."""
        request = self.client.request(**changes)
        return self.client.error(self.person.visit(self.client.url(request)), request)

    def sign_in(self, verifier: str | None = None, **changes: str | None) -> Tokens:
        """The whole flow, up to the tokens."""
        request = self.client.request(**changes)
        code = self.client.code(self.person.visit(self.client.url(request)), request)
        form = {"code_verifier": verifier} if verifier else {}
        return self.client.tokens(self.client.redeem(code, **form), nonce=request.get("nonce"))
