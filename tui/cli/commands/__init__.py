"""One file for each command: what it checks, what it runs, what it prints."""
