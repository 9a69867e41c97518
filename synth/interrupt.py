"""Ctrl-C that ends the program within a second, even while compiled code runs."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

from synth.unfinished import discard_unfinished

__all__ = ["INTERRUPTED", "prompt_end"]

#: the exit code after Ctrl-C, as shells have it
INTERRUPTED = 130

_GRACE = 0.7  # seconds for the work to stop by itself


@contextlib.contextmanager
def prompt_end() -> Iterator[None]:
    """Watch for Ctrl-C and SIGTERM while the block runs.

    Python turns Ctrl-C into KeyboardInterrupt only when its main thread is back from compiled
    code, which a compilation can delay. So a second thread hears of the signal at once, through
    the wakeup descriptor, and ends the process if it has not ended by itself a moment later.
    Temporary files are removed either way. Outside the main thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ears, mouth = socket.socketpair()
    mouth.setblocking(False)
    ended = threading.Event()

    def watch() -> None:
        while heard := ears.recv(1):
            if heard[0] == signal.SIGINT and not ended.wait(_GRACE):
                discard_unfinished()
                show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
                os.write(2, f"{show_cursor}\nsynth: stopped\n".encode())
                os._exit(INTERRUPTED)

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        # Ctrl-C inside a callback from C is dropped by Python; the watcher sees to the end
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            old_hook(unraisable)

    watcher = threading.Thread(target=watch, name="synth-interrupt", daemon=True)
    watcher.start()
    old_descriptor = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    old_hook, sys.unraisablehook = sys.unraisablehook, hook
    old_handler = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        ended.set()
        signal.signal(signal.SIGTERM, old_handler)
        sys.unraisablehook = old_hook
        signal.set_wakeup_fd(old_descriptor)
        mouth.close()
        watcher.join()
        ears.close()
