"""A node that behaves like the original program, faults included.

One recv(4096) reads the whole request. It is split at LF and trailing empty pieces are dropped; the first
piece is the file name, and the first two words of each other piece are a hop. Nothing marks the end of a
reply but the end of the connection, and whatever the client sends later is never read.
"""

import argparse
import socket
import sys
import threading

options = argparse.ArgumentParser()
options.add_argument("port", type=int)
options.add_argument("--piece", type=int, default=4096, help="bytes of a file per send")
options.add_argument("--crlf", action="store_true", help="end the lines of a forwarded request with CRLF")
options.add_argument("--no-final-newline", action="store_true", help="leave out the last one")
options.add_argument("--drain", action="store_true", help="read to the client's end before closing")
options = options.parse_args()


def say(line):
    print(line, flush=True)


def request_text(lines):
    end = "\r\n" if options.crlf else "\n"
    text = end.join(lines)
    return text if options.no_final_newline else text + end


def send_file(name, client):
    with open(name, "rb") as file:
        while piece := file.read(options.piece):
            client.sendall(piece)


def relay(name, hops, client):
    host, port = hops[0].split()[:2]
    upstream = socket.create_connection((host, int(port)))
    upstream.sendall(request_text([name, *hops[1:]]).encode())
    while piece := upstream.recv(4096):
        client.sendall(piece)
    upstream.close()


def serve(client, number):
    pieces = client.recv(4096).decode().split("\n")
    while pieces and pieces[-1] == "":
        pieces.pop()
    name, *hops = pieces
    try:
        if hops:
            say(f"Working as a proxy in thread {number}")
            relay(name, hops, client)
        else:
            say(f"Working as a server in thread {number}")
            send_file(name, client)
        say(f"file sending in thread {number} completed")
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
    if options.drain:
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    client.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", options.port))
listener.listen(5)
print(f"port {listener.getsockname()[1]}", file=sys.stderr, flush=True)
say("the server is ready")
number = 0
while True:
    connection, _ = listener.accept()
    say(f"creating new thread {number}")
    threading.Thread(target=serve, args=(connection, number), daemon=True).start()
    number += 1
