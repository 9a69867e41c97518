"""Which pixels of a hole the onion peel settles next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.onion import urgency
from synth.patchmatch.stage import Stage

__all__ = ["Edges", "outermost"]

#: A border pixel is settled together with the most urgent one if it is so urgent as a share of
#: that. One at a time would be truer to Criminisi et al. and takes many times as long.
_AS_URGENT = 0.2
#: The first so many channels after the picture's own are texture's.
_TEXTURE_CHANNELS = 2


def outermost(unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Unknown pixels with a known one among their eight neighbours; all where there is none."""
    import cv2

    inner = cv2.erode(
        unknown.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT,
        borderValue=1,
    )  # fmt: skip
    layer = unknown & (inner == 0)
    return layer if layer.any() else unknown.copy()


class Edges:
    """A peel that follows edges: where a strong one runs into the hole, it is continued first.

    Otherwise what grows inwards from all sides meets in the middle before a line that enters the
    hole on the left has found the one on the right (Criminisi et al. 2004).

    Parameters
    ----------
    stage : Stage
        The level that is peeled; its content is looked at as it grows.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pixels = stage.pixels
        self._last = stage.pixels[:0]
        self._luminance = self._brightness(stage.content)
        self._confidence = (~stage.hole).astype(np.float32)

    def _brightness(self, content: NDArray[np.int16]) -> NDArray[np.float32]:
        colours = content[..., : self._stage.voted - _TEXTURE_CHANNELS]
        return np.asarray(colours.sum(axis=-1, dtype=np.float32))

    def next_layer(self, unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the border pixels of ``unknown`` that are to be settled next.

        What was returned before has been settled by now.
        """
        stage = self._stage
        y, x = self._last[:, 0], self._last[:, 1]
        self._luminance[y, x] = self._brightness(stage.content[y, x])
        self._pixels = self._pixels[unknown[self._pixels[:, 0], self._pixels[:, 1]]]
        urgent = np.empty(len(self._pixels), np.float32)
        sure = np.zeros(len(self._pixels), np.float32)
        urgency(
            self._luminance, unknown, self._confidence, self._pixels, stage.patch, urgent, sure
        )
        largest = urgent.max(initial=0)
        if largest <= 0:  # no edges, or no border
            layer = outermost(unknown)
            now = layer[self._pixels[:, 0], self._pixels[:, 1]]
        else:
            now = urgent >= _AS_URGENT * largest
            layer = np.zeros_like(unknown)
            layer[self._pixels[now, 0], self._pixels[now, 1]] = True
        self._last = self._pixels[now]
        self._confidence[self._last[:, 0], self._last[:, 1]] = sure[now]
        return layer
