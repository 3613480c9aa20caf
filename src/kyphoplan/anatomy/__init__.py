"""From labelled voxels to a spine: body and arch, endplates, walls, pedicles, canal."""
