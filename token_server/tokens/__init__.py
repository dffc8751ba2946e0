"""From a request to the signed token and the sealed ticket. Open joins.py first."""
