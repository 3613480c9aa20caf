"""The process in which untrusted files are read: one child for each, with limits.

Started by `apart` as ``python -m kyphoplan.io.nursery``. It loads the reading libraries once and
forks for each file a child that may take so much memory and time and no more. What a child does,
and how it ends, cannot touch the program that asked. Requests and answers are JSON; voxels go into
a memory file that the asker hands over. Nothing is ever unpickled.
"""

import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

LONGEST_REQUEST = 1 << 16  # [byte]
LONGEST_WORD = 2000  # [byte] of what a library said on its way down
BLOCK = 1 << 20  # [byte]


def serve(asker: socket.socket) -> None:
    """Answer requests until the asker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the asker decides when to stop
    while True:
        message, handles, _, _ = socket.recv_fds(asker, LONGEST_REQUEST, 1)
        if not message:
            return
        request = json.loads(message)
        _preload(Path(request["path"]))
        answer = _in_a_child(request, handles[0], asker)
        os.close(handles[0])
        if answer is None:
            return
        asker.sendall(json.dumps(answer).encode() + b"\n")


def _preload(path: Path) -> None:
    """Load the library of a kind of file before forking, so that it is loaded once."""
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        import_module("nibabel")
    elif name.endswith((".nrrd", ".nhdr", ".mha", ".mhd")):
        import_module("SimpleITK")
    else:
        import_module("pydicom.pixels")


def _in_a_child(request: dict[str, Any], voxels: int, asker: socket.socket) -> Any:
    """Read one file in a child; None if the asker went away meanwhile."""
    receive, send = os.pipe()
    with tempfile.TemporaryFile() as words:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asker.close()
                os.close(receive)
                _confine(request["memory_bytes"], request["seconds"])
                os.dup2(words.fileno(), 1)
                os.dup2(words.fileno(), 2)
                _work(request, voxels, send)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                    sys.stderr.flush()
                os._exit(status)
        os.close(send)
        text = _listen(receive, asker)
        if text is None:
            os.kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        words.seek(0)
        said = words.read(BLOCK)[-LONGEST_WORD:].decode("utf-8", "replace")
    if text is None:
        return None
    code = os.waitstatus_to_exitcode(status)
    answer = json.loads(text) if code == 0 else {}
    cost = {"peak_kib": used.ru_maxrss, "cpu_s": used.ru_utime + used.ru_stime}
    return answer | {"exit": code, "said": said, **cost}


def _confine(memory_bytes: int, seconds: int) -> None:
    """Set the limits of a child; its end by one of them is a signal or a MemoryError."""
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, memory_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit, limit if most == resource.RLIM_INFINITY else most))
    signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM, whose default is death
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)


def _work(request: dict[str, Any], voxels: int, send: int) -> None:
    from kyphoplan.io import decoding  # noqa: PLC0415 - loaded by the first child's parent

    answer = decoding.answer(request, voxels)
    with os.fdopen(send, "wb") as stream:
        stream.write(json.dumps(answer).encode())


def _listen(receive: int, asker: socket.socket) -> bytes | None:
    """Collect a child's answer until it ends; None if the asker hangs up first."""
    watch = select.poll()
    watch.register(receive, select.POLLIN)
    watch.register(asker, select.POLLIN)
    text = bytearray()
    with os.fdopen(receive, "rb", buffering=0) as stream:
        while True:
            ready = [handle for handle, _ in watch.poll()]
            if asker.fileno() in ready:  # nothing is asked before the last answer: it hung up
                return None
            block = stream.read(BLOCK)
            if not block:
                return bytes(text)
            text += block


if __name__ == "__main__":
    import kyphoplan.io.decoding  # noqa: F401 - loaded once, before the first child

    serve(socket.socket(fileno=int(sys.argv[1])))
