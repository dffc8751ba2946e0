"""Keeps exactly one living agent in every room where a human wants one. Open decisions.py first."""
