"""Things die, and nothing that was acknowledged is lost.

Owns: processes that kill themselves at a named step, load that remembers what it was told, and what must hold after a
death. Nothing of it is in the product: the steps are patched into its classes before its command line runs.
"""
