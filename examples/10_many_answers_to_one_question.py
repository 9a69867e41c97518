"""The conditional p(pixel | surroundings) of a texture, held in the hand.

Writes 10_many_answers_to_one_question.png: for three pixels of a wall the known surroundings and
how probable each grey level is. Inside a brick there is one answer, where a joint may end several.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save

AT = [[49, 49], [64, 85], [19, 46]]


def main() -> None:
    """Ask for three pixels of a photograph whose other half the model has seen."""
    photograph = data.brick()
    exemplar, image = photograph[:, :256].copy(), photograph[:128, 384:].copy()
    model = synth.EfrosLeung(window=9, weighting="softmax_relative", temperature=0.1).fit(exemplar)
    before = np.arange(image.size).reshape(image.shape)

    rows = []
    for y, x in AT:
        conditional = model.conditional(image, before < before[y, x], [[y, x]])
        known = np.where(before < before[y, x], image, 255)[y - 12 : y + 13, x - 12 : x + 13]
        known[12, 12] = 0
        heights = conditional.probs()[0] / conditional.probs().max() * 90
        bars = np.where(np.arange(100)[::-1, None] < heights, 60, 255).astype(np.uint8)
        bars[:, image[y, x]] = np.minimum(bars[:, image[y, x]], 170)  # what it really was
        rows.append(np.pad(np.hstack([np.kron(known, np.ones((4, 4), np.uint8)), bars]), 3))
        nats = conditional.entropy()[0]
        print(f"pixel {y}, {x}: {len(conditional.values)} candidates, {nats:.2f} nats")
    save("10_many_answers_to_one_question.png", np.concatenate(rows), overwrite=True)
    print("10_many_answers_to_one_question.png: surroundings (the pixel is black) and p(value)")


main()
