"""What the web process and the worker read alike from the environment; it imports neither."""
