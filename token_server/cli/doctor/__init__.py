"""`token-server doctor`: what is wrong between a frontend and its agent, and what to type next.

Open examination.py first. What has been seen (evidence) is collected by few modules; what it means
(checks.py's `Check`) is decided by functions without I/O.
"""
