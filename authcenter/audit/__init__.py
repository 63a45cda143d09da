"""The audit log: what is recorded, chained so that nobody edits it unseen.

Owns the canonical encoding, the hash chain, and how a person is erased from it. Storing the rows is the stores' part.
"""
