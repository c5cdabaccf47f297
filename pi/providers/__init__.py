"""One module an API, and the streaming protocol they share."""
