"""PatchMatch: nearest-neighbour fields and what is built on them."""
