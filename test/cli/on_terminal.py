"""Runs a command on a pseudo-terminal and copies its output.

    on_terminal.py [--columns N] [--stdout FILE] [--stderr FILE] COMMAND ARGUMENT...

Standard input is typed at the terminal, except its end. Exits with the code of the command, or with 128 + N if
signal N ended it.
"""

import argparse
import fcntl
import os
import pty
import select
import struct
import sys
import termios

options = argparse.ArgumentParser()
options.add_argument("--columns", type=int, default=80)
options.add_argument("--stdout", help="a file instead of the terminal")
options.add_argument("--stderr", help="a file instead of the terminal")
options.add_argument("command", nargs=argparse.REMAINDER)
options = options.parse_args()

child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, options.columns, 0, 0))
    for descriptor, path in ((1, options.stdout), (2, options.stderr)):
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    os.execvp(options.command[0], options.command)

sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # EIO: no process has the terminal open any more.
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        else:
            os.write(terminal, data)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
