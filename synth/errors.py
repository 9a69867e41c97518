"""Errors for the person at the keyboard: what was given, what is needed, how to mend it."""

from __future__ import annotations

__all__ = ["DeviceError", "FileError", "InputError", "InputTypeError", "MissingExtraError"]


class InputError(ValueError):
    """An argument has a value that cannot be worked with."""


class InputTypeError(TypeError):
    """An argument is of a kind that cannot be worked with."""


class FileError(InputError):
    """A file cannot be read, or must not be written."""


class DeviceError(RuntimeError):
    """The device that was asked for is not there."""


class MissingExtraError(ImportError):
    """A feature needs a package that is not installed; the message has the exact pip line."""
