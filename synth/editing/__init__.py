"""Editing with patches: moving objects, resizing and rearranging pictures."""
