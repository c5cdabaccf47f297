"""Credentials: auth.json and the order in which a key is looked for."""
