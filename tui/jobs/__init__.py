"""Jobs in threads of their own, and the messages by which a screen hears of them.

job             the one bridge: runs a core stream in a thread, posts its events
backend         which jobs there are; imports torch when the first one runs
background      the measurement beside the job: begins after a rest, gives way to a key
history_jobs    reading, annotating and deleting runs
"""
