"""How gunicorn serves: a deadline for each wait for a client."""
