"""Completion in the editor: what can be completed, and the list it is chosen from."""
