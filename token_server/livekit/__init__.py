"""What we say to LiveKit and what it tells us, behind one port (port.py)."""
