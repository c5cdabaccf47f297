"""Folders, environment, settings.json, values with indirection, project trust."""
