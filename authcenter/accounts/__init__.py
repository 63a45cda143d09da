"""The people's side: accounts and their passwords.

Owns what a name, an address and a password must look like, how passwords are hashed, what an operator may do to an
account, and what that cuts off. Knows stores by their ports only; nothing of HTTP, grants, clients or tokens: a person
who has proved a password is handed back as a ``User``, and what may be issued for it is decided elsewhere.
"""
