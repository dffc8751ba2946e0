"""A simulated LiveKit: thousands of rooms, without media, for the product's own adapter."""
