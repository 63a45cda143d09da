"""``/admin/v1``: what operators do over HTTP, as JSON.

Owns who may ask (``frame``), pages of lists (``paging``) and the endpoints. Decides nothing about users, clients,
keys or tokens: the same functions do that for the command line and the console.
"""
