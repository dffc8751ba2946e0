"""Routes in, errors out."""
