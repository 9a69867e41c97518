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

__all__ = ["INTERRUPTED", "Ending", "prompt_end"]

#: the exit code after Ctrl-C, as shells have it
INTERRUPTED = 130

_GRACE = 0.7  # seconds for the work to stop by itself


class Ending:
    """What `prompt_end` has heard."""

    heard = False  # of Ctrl-C

    def leave(self) -> None:
        """End the process now if Ctrl-C was heard: taking LLVM down in order takes long."""
        if self.heard:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)


@contextlib.contextmanager
def prompt_end() -> Iterator[Ending]:
    """Watch for Ctrl-C and SIGTERM while the block runs.

    Python turns Ctrl-C into KeyboardInterrupt only when its main thread is back from compiled
    code, which a compilation can delay. So a second thread hears of the signal at once, through
    the wakeup descriptor, and ends the process if it has not ended by itself a moment later.
    Temporary files are removed either way. Outside the main thread this does nothing.
    """
    ending = Ending()
    if threading.current_thread() is not threading.main_thread():
        yield ending
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

    def interrupt(*_: object) -> None:
        ending.heard = True
        raise KeyboardInterrupt

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        # Ctrl-C inside a callback from C is dropped by Python; the watcher sees to the end
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            old_hook(unraisable)

    watcher = threading.Thread(target=watch, name="synth-interrupt", daemon=True)
    watcher.start()
    old_descriptor = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    old_hook, sys.unraisablehook = sys.unraisablehook, hook
    old_handlers = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    }
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        old_handlers[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    try:
        yield ending
    finally:
        ended.set()
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = old_hook
        signal.set_wakeup_fd(old_descriptor)
        mouth.close()
        watcher.join()
        ears.close()
