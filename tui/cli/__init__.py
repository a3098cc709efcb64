"""The command `featherweight`.

main        its subcommands and exit statuses
options     its options, and what they say
commands, file_commands     what each subcommand does
headless    jobs without a screen: progress, plain lines, JSON
scan_table, search_table, cost_table, bench_table   their tables
"""
