"""OpenTelemetry: a human's token, join, webhook, looks and dispatches in one trace.

Imported only where the standard variables ask for traces (environment.py). What a token was traced
as travels in its ticket, so that any process on any machine goes on with the trace.
"""
