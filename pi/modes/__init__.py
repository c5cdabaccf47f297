"""Consumers of the agent's events."""
