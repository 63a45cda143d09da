"""Requests that this server makes to others. Whom they may reach is decided here; why they are made, is not known."""
