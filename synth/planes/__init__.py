"""Planes in a picture: vanishing points, and the homographies that look at planes frontally."""
