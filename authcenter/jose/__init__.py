"""JSON Web Signatures as this product needs them: four algorithms, compact form, nothing optional.

Owns the wire format and the bare signature. Does not know which keys are live, what is revoked, or any policy. It is
written out rather than taken from PyJWT because verification is the hot path (PyJWT costs 1.6 to 3.5 times the bare
verification); PyJWT is its oracle in the tests.
"""
