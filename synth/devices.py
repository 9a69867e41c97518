"""Which device a call runs on."""

from __future__ import annotations

import logging
from typing import Literal, get_args

from synth.arguments import shown
from synth.errors import DeviceError, InputError

__all__ = ["Device", "choose_device"]

Device = Literal["auto", "cpu", "cuda"]

_log = logging.getLogger("synth")


def choose_device(device: Device) -> Literal["cpu"]:
    """Settle which twin of the kernels a call runs, once at its start.

    Parameters
    ----------
    device : "auto", "cpu" or "cuda"
        "auto" takes the best that there are kernels for, which today is the CPU.

    Returns
    -------
    "cpu"

    Raises
    ------
    InputError
        ``device`` is none of the three, or ``SYNTH_NUM_THREADS`` is no number of threads.
    DeviceError
        "cuda" was asked for: there are no CUDA kernels yet.

    Examples
    --------
    >>> choose_device("auto")
    'cpu'
    """
    if not isinstance(device, str) or device not in get_args(Device):
        raise InputError(f"device is {shown(device)}, but it must be 'auto', 'cpu' or 'cuda'")
    if device == "cuda":
        raise DeviceError(
            "device is 'cuda', but this version of synth has kernels for the CPU only; "
            "pass device='cpu', or 'auto' to take what there is"
        )
    from synth.kernels._jit import thread_count

    try:
        thread_count()
    except ValueError as error:
        raise InputError(str(error)) from None
    _log.debug("running on the CPU (device=%r)", device)
    return "cpu"
