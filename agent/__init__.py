"""The LiveKit worker: registers under a name, takes jobs, talks."""
