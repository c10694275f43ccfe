"""Prints every datagram that a socket of the Unix family gets, as a line of JSON with its time.

systemd-notify sends a descriptor with its last message and waits until it is closed: closed here as
systemd does. A path that begins with "@" is of the abstract name space.
"""

import array
import json
import os
import socket
import sys
import time

path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + path[1:] if path.startswith("@") else path)
print(json.dumps({"listens": path}), flush=True)
while True:
    message, ancillary, _, _ = receiver.recvmsg(4096, 256)
    for _, _, data in ancillary:
        descriptors = array.array("i")
        descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        for descriptor in descriptors:
            os.close(descriptor)
    text = message.decode()
    print(json.dumps({"at": time.monotonic(), "lines": text.split("\n")}), flush=True)
