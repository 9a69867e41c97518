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
        self._confidence = (~stage.hole).astype(np.float32)
        self._urgent = np.empty(len(stage.pixels), np.float32)
        self._sure = np.zeros(len(stage.pixels), np.float32)

    def next_layer(self, unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the border pixels of ``unknown`` that are to be settled next."""
        stage = self._stage
        colours = stage.content[..., : stage.voted - _TEXTURE_CHANNELS]
        luminance = colours.sum(axis=2, dtype=np.float32)
        urgency(
            luminance, unknown, self._confidence, stage.pixels, stage.patch, self._urgent,
            self._sure,
        )  # fmt: skip
        largest = self._urgent.max()
        if largest <= 0:  # no edges, or no border
            layer = outermost(unknown)
            now = layer[stage.pixels[:, 0], stage.pixels[:, 1]]
        else:
            now = self._urgent >= _AS_URGENT * largest
            layer = np.zeros_like(unknown)
            layer[stage.pixels[now, 0], stage.pixels[now, 1]] = True
        self._confidence[stage.pixels[now, 0], stage.pixels[now, 1]] = self._sure[now]
        return layer
