"""The terminal interface: a conversation above, an editor below, everything by keyboard."""
