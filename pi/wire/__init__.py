"""Shapes that cross a boundary: messages, usage, events, session entries, models."""
