"""Textures grown from an exemplar."""
