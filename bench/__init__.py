"""What `make bench` measures, with real processes on this machine, and beside what."""
