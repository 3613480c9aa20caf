"""kyphoplan: from a spine CT to a measured fracture. Research and teaching use only."""

__version__ = "0.1.0"
