"""What the benchmarks share: figures, the plain way, the subject, memory, the watched app."""
