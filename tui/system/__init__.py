"""The program as a process: it survives errors and odd input, and ends as signals ask.

error_boundary   confines an error to the panel or key it occurs in; makes what is drawn harmless
error_log        the file of unforeseen errors, and the line that names it
own_process      the program in another process of its own
paths            paths as typed and as displayed
interruption     signals that end the program, and when
hangup           whether the terminal is gone, where no signal says so
output           the stream it draws to, and whether the terminal keeps up
painting         what a terminal must be told so that it shows the next frame
own_process      how this program is started again
job_control      Ctrl+Z and the shell's fg
terminal_window  the title of the terminal's window, and notifications
own_process      this program in a process of its own
garbage          imports without the garbage collector
key_burst        keeps text pasted as single keys from triggering actions
"""
