"""The audit log: what is recorded, chained so that nobody edits it unseen.

Owns the canonical encoding and the hash chain. Storing the rows is the stores' part.
"""
