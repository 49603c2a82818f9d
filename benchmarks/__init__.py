"""What skysweep is measured and tried against; no part of the package. `python -m benchmarks --help`."""
