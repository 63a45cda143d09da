"""What this server fetches from others. Owns the guard around every outbound request that somebody else's text caused;
must not know what is fetched, or why."""
