"""The turn loop and the agent session: events out, entries written."""
