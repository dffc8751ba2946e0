"""What mutated requests achieve over kept connections, behind nginx and without: nothing."""

from bench.mutations.measure import measure_mutations as measure_mutations
