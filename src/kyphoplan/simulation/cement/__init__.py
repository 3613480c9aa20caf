"""Cement on its way: how it flows, what it flows through, and where it gets out."""
