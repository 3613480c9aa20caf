"""Voxel elasticity: elements, grids, smoothing and the Krylov loop; knows no bone."""
