"""The graph of dependencies is designed: three orders of the same pixels.

Writes 11_dependency_graphs.png: above, when each pixel comes (dark is early); in the middle, how
many steps it waits for if all that can go on at once does; below, which pixels each one looks at.
"""

from __future__ import annotations

import numpy as np

import synth
from synth.files import save

SIDE, WINDOW = 14, 5


def tile(values: np.ndarray, side: int = 196) -> np.ndarray:
    """Stretch values over the greys and pixels over a tile."""
    values = values - values.min().astype(float)
    grey = (255 * values / values.max()).astype(np.uint8)
    return np.pad(np.kron(grey, np.ones((side // len(values),) * 2, np.uint8)), 4)


def main() -> None:
    """Draw raster, onion and multiscale order."""
    columns = []
    for order in ("raster", "onion", "multiscale"):
        graph = synth.DependencyGraph.of(order, (SIDE, SIDE), WINDOW, seed=0)
        looks = 1 - graph.matrix().toarray()
        columns.append(np.concatenate([tile(graph.rank), tile(graph.levels()), tile(looks)]))
        print(f"{order}: {graph.rank.size} pixels in {graph.depth} steps")
    save("11_dependency_graphs.png", np.concatenate(columns, axis=1), overwrite=True)
    print("11_dependency_graphs.png: order, levels and the matrix of raster, onion, multiscale")


if __name__ == "__main__":
    main()
