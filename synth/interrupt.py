"""Ctrl-C and SIGTERM end the program within a second, even while compiled code runs."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

from synth.unfinished import discard_unfinished

__all__ = ["STOPPED", "Ending", "ending", "prompt_end"]

#: what is said at the end
STOPPED = "stopped; no half-written file is left"

_GRACE = 0.7  # seconds for the work to stop by itself


class Ending:
    """What `prompt_end` has heard."""

    signal = 0  # the number of the one that asked for the end; 0 if none did

    @property
    def code(self) -> int:
        """The exit code after the signal, as shells have it; that of Ctrl-C if none was heard."""
        return 128 + (self.signal or signal.SIGINT)

    def leave(self) -> None:
        """End the process now if a signal was heard: taking LLVM down in order takes long."""
        if self.signal:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            os._exit(self.code)


#: of this process: its signals are everyone's
ending = Ending()


@contextlib.contextmanager
def prompt_end() -> Iterator[Ending]:
    """Watch for Ctrl-C and SIGTERM while the block runs; both raise KeyboardInterrupt.

    Python does so only when its main thread is back from compiled code, which a compilation can
    delay, and a callback from C drops the exception or wraps it. So a second thread hears of the
    signal at once, through the wakeup descriptor, and ends the process if it has not ended by
    itself a moment later. Temporary files are removed either way. Outside the main thread this
    does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Ending()
        return
    ending.signal = 0
    ears, mouth = socket.socketpair()
    mouth.setblocking(False)
    ended = threading.Event()
    raised = False
    old_handlers: dict[int, Any] = {}

    def watch() -> None:
        while heard := ears.recv(1):
            if heard[0] not in old_handlers:
                continue
            ending.signal = ending.signal or heard[0]
            if not ended.wait(_GRACE):
                discard_unfinished()
                show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
                with contextlib.suppress(OSError):
                    os.write(2, f"{show_cursor}\nsynth: {STOPPED}\n".encode())
                os._exit(ending.code)

    def interrupt(number: int, _: object) -> None:
        nonlocal raised
        ending.signal = ending.signal or number
        if not raised:  # once: a second would break into the handling of the first
            raised = True
            raise KeyboardInterrupt

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        # dropped by a callback from C; the watcher sees to the end
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            old_hook(unraisable)

    watcher = threading.Thread(target=watch, name="synth-interrupt", daemon=True)
    watcher.start()
    old_descriptor = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    old_hook, sys.unraisablehook = sys.unraisablehook, hook
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(number) == usual:  # else it is to be ignored
            old_handlers[number] = usual
            signal.signal(number, interrupt)
    try:
        yield ending
    finally:
        ended.set()
        for installed, handler in old_handlers.items():
            signal.signal(installed, handler)
        sys.unraisablehook = old_hook
        signal.set_wakeup_fd(old_descriptor)
        mouth.close()
        watcher.join()
        ears.close()
