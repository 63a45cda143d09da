"""What leads from an authorization request to its answer: parsing, the matrix of checks, consent, the code.

Knows clients, accounts and tokens; neither pages nor grants: a page shows what is missing, and comes back here.
"""
