"""Jobs in their own threads, and the messages they post to a screen.

job             the only bridge: runs a core stream in a thread, posts its events
backend         which jobs there are; imports torch when the first one runs
background      the measurement beside the job: starts after a pause, stops at a key
autosave        saves the plan shortly after a change
history_jobs    reading, annotating and deleting runs
"""
