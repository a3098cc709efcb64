"""Jobs in their own threads, and the messages they post to a screen.

job             runs a core stream in a thread and posts its events
backend         the jobs of core; imports torch when the first one runs
background      the measurement beside the job: starts after a pause, stops on a key
autosave        saves the plan shortly after a change
history_jobs    read, annotate and delete runs
sweep_job       watches a sweep that runs in a process of its own
"""
