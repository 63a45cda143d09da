"""The bench: how fast authcenter is, beside a bare handler and beside npm oidc-provider, measured in one run.

Owns: the load (wrk), the three contenders, what is compared, the targets, the table. It must not know how
authcenter is built: it starts the command, reads the endpoints, and, in ``verify``, uses the verifier as an
embedding program would. Not part of the tests; ``make bench`` runs it.
"""
