"""One module a tool, and what they share: registry, validation, truncation."""
