"""The append-only session file, its tree, and the context it yields."""
