"""The editor of the interactive mode: its text, how it is laid out, and the panel."""
