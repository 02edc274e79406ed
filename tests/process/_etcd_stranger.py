"""Stands between a register and etcd, and answers as the file says.

    _etcd_stranger.py ETCD_PORT MODE_FILE      prints its own port

Each request is answered by the word that stands in the file at that time:
pass, or what goes wrong.  Whatever but "pass" and "lie" is done to an answer
after etcd has done what was asked.
"""
import http.client
import http.server
import re
import sys
import time


class Stranger(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ask(self, body):
        etcd = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
        etcd.request("POST", self.path, body)
        said = etcd.getresponse()
        return said.status, said.read()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], encoding="ascii") as file:
            mode = file.read().strip()
        if self.path == "/v3/watch":
            # Blank lines, a word that something was compacted, and the end.
            self.answer(200, b'\n\n\n{"result":{"header":{"raft_term":"2"},'
                             b'"canceled":true,"compact_revision":"3"}}\n')
            return
        if mode == "lie":
            self.answer(200, b'{"header":{"cluster_id":"1","revision":"9"},'
                             b'"succeeded":true,"responses":['
                             b'{"response_put":{}}]}')
            return
        status, said = self.ask(body)
        if mode == "pass":
            self.answer(status, said)
        elif mode == "cut":
            self.answer(200, said[:-2], len(said))
            self.close_connection = True
        elif mode == "short":
            self.answer(200, said[:-2])
        elif mode == "drop":
            self.close_connection = True
        elif mode == "broken":
            self.answer(503, b'{"error":"etcdserver: leader changed",'
                             b'"code":14}')
        elif mode == "html":
            self.answer(200, b"<html>welcome\x1b[2J</html>")
        elif mode == "huge":
            self.answer(200, said + b" " * 1000000)
        elif mode == "silent":
            time.sleep(30)
        elif mode == "other":
            self.answer(status, re.sub(rb'"cluster_id":"\d+"',
                                       b'"cluster_id":"7"', said))


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # The register closes connections as it likes.


def main():
    server = Server(("127.0.0.1", 0), Stranger)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
