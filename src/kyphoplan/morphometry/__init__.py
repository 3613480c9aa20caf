"""From a spine to numbers: heights, fractures, kyphosis, density, canal, cortical gaps."""
