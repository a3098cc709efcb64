"""Long runs against hostile input: `python -m tests.fuzz.codec --minutes 10`."""
