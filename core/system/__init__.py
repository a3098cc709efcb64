"""The machine below the work: files, locks, threads, devices, clocks.

files            files that are written whole or not at all
locks            which process holds a folder
untrusted_json   JSON and headers read without trust
typed_json       dataclasses from such JSON, by their type hints, and back
background       a slow call in a thread: its progress, a stop flag, a limit on silence
error_text       why something failed, in words for a person
devices          where torch computes
allocator        freed memory kept for the next step
precision        whether bf16 is faster on this machine
timing           ways to do the same work, timed in turn
preload          torch's files read into the cache before torch is imported
"""
