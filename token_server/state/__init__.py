"""What processes and machines share; all of it may be lost."""
