"""The life of a token: signed, read, rotated, revoked, introspected.

Owns ``TokenService`` and the replica of what is revoked. Knows nothing of grants, HTTP, or which store there is.
"""
