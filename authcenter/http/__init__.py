"""The edge: HTTP requests parsed into frozen values, answers written. Decides nothing.

Knows aiohttp, which no lower layer does, and no store.
"""
