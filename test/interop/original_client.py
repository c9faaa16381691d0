"""A client that behaves like the original program.

It reads the file name and the hops from an input file, dials the first hop and sends it the rest, and saves
what comes until the connection ends. It neither marks the end of its request nor closes its side.
"""

import argparse
import socket

options = argparse.ArgumentParser()
options.add_argument("input")
options.add_argument("output")
options.add_argument("--crlf", action="store_true", help="end the lines of the request with CRLF")
options.add_argument("--no-final-newline", action="store_true", help="leave out the last one")
options.add_argument("--one-by-one", action="store_true", help="send the request in segments of one byte")
options.add_argument("--fin", action="store_true", help="close the own side after the request")
options = options.parse_args()

with open(options.input, encoding="utf-8") as file:
    name, first, *hops = file.read().rstrip("\n").split("\n")

end = "\r\n" if options.crlf else "\n"
text = end.join([name, *hops]) + ("" if options.no_final_newline else end)
host, port = first.split()[:2]
server = socket.create_connection((host, int(port)))
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
size = 1 if options.one_by_one else 4096
data = text.encode()
for at in range(0, len(data), size):
    server.sendall(data[at : at + size])
if options.fin:
    server.shutdown(socket.SHUT_WR)

with open(options.output, "wb") as file:
    while piece := server.recv(4096):
        file.write(piece)
server.close()
print("The file got downloaded in the client.")
