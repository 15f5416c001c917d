"""The command line: a file a command, options, what is asked on a terminal, and the exit codes of errors."""
