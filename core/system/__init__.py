"""The machine: files, locks, threads, devices, timing.

files            atomic writes, and checks of paths
locks            folders locked by one process at a time
untrusted_json   untrusted JSON files and safetensors headers
typed_json       dataclasses from untrusted JSON, by their type hints, and back
blocking_calls   a blocking call in a thread: progress, stop flag, timeout
error_text       parts of messages: the reason for an error, names, counts
devices          the devices torch computes on
allocator        freed memory reused in the next step
number_formats   the formats nets compute in
precision        whether bf16 is faster on this machine
processor        the processor, as the system describes it
timing           alternatives timed in turns
preload          torch's libraries loaded without blocking other threads
"""
