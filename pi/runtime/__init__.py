"""A run of pi put together: services for a folder, and the session that is open in it."""
