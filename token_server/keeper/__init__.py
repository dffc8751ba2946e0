"""Keeps exactly one agent in every room where a human wants one. Open attendance.py first."""
