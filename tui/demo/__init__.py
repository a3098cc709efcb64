"""`featherweight demo`: the program plays its own story, through the actions that keys have.

script      the story: steps, each with a caption, actions and what to wait for
facts       the numbers in the captions
player      plays a script at a pace, can pause, ends at once
caption     the strip with the caption
app         the app that is played; any key takes it over
"""
