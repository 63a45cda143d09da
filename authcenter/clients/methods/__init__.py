"""Client authentication methods, one a file; ``clients.authentication`` picks one."""
