#!/usr/bin/env python3
# ctest-timeout: 90
"""The bad line (tests/chaos/proxy.c) in front of an echo server: what goes
through it is cut and late and whole; a reset ends a connection in its midst;
and a seed repeats the row of pieces."""
import os
import socket
import subprocess
import sys
import threading

PROXY = os.path.join(os.environ["DEFTER_BIN"], "proxy")


def fail(why):
    sys.exit("failed: " + why)


def echo(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return

        def run(connection=connection):
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            connection.close()
        threading.Thread(target=run, daemon=True).start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Line:
    def __init__(self, target, *words):
        self.port = free_port()
        self.process = subprocess.Popen(
            [PROXY, "--listen", "127.0.0.1:%d" % self.port, "--to",
             "127.0.0.1:%d" % target, *words], stdout=subprocess.PIPE,
            text=True)
        if self.process.stdout.readline() != "proxy: ready\n":
            fail("the proxy is not ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(30) != 0:
            fail("the proxy ended with %d" % self.process.returncode)


def send_and_take(port, data):
    """What comes back, the sizes it came in, and whether it was reset."""
    got, sizes = b"", []

    def send(connection):
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The other direction says how it ended.
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            sender = threading.Thread(target=send, args=(connection,))
            sender.start()
            try:
                while part := connection.recv(1 << 20):
                    got += part
                    sizes.append(len(part))
            finally:
                sender.join(30)
    except ConnectionResetError:
        return got, sizes, True
    return got, sizes, False


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    target = listener.getsockname()[1]
    threading.Thread(target=echo, args=(listener,), daemon=True).start()
    data = os.urandom(2000000)

    with Line(target) as line:
        got, _, reset = send_and_take(line.port, data)
        if reset or got != data:
            fail("a line without faults changed something")
    with Line(target, "--cut", "3", "--delay", "1") as line:
        got, sizes, reset = send_and_take(line.port, data[:2000])
        if reset or got != data[:2000]:
            fail("a cut line changed something")
        if len(sizes) < 100:
            fail("a cut line came in %d pieces" % len(sizes))
    words = ["--cut", "500", "--reset", "20", "--seed", "7"]
    resets = []
    for _ in range(2):
        with Line(target, *words) as line:
            resets.append([send_and_take(line.port, data[:50000])[2]
                           for _ in range(6)])
            if not any(resets[-1]):
                fail("nothing was reset")
    if resets[0] != resets[1]:
        fail("a seed does not repeat: %s, %s" % tuple(resets))
    with Line(free_port()) as line:
        got, _, reset = send_and_take(line.port, b"to nobody")
        if got:
            fail("nobody answered")

    def plan(seed):
        return subprocess.run([PROXY, "--plan", "3", "--seed", seed,
                               "--delay", "9"], capture_output=True,
                              check=True).stdout
    if plan("5") != plan("5") or plan("5") == plan("6"):
        fail("a plan does not follow its seed")
    print("cut, late, reset and repeated")


main()
