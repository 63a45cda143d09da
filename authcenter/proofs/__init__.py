"""Proofs that whoever presents something is the one it was given to. Knows neither tokens nor clients."""
