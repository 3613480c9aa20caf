"""From labelled voxels to a spine: body and arch, endplates, walls, pedicles, canal."""

from kyphoplan.anatomy.vertebrae import locate

__all__ = ["locate"]
