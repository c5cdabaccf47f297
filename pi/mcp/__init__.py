"""Model Context Protocol: servers' configuration, the client, and their tools. See docs/mcp.md."""
