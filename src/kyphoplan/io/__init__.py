"""The edge: bytes to nouns and back. The only code that opens files."""

from kyphoplan.io.label_schemes import SCHEME_NAMES
from kyphoplan.io.labels import read_labels, read_labels_with_notices
from kyphoplan.io.output import result_folder, write_json
from kyphoplan.io.volumes import read_volume, read_volume_with_notices, write_volume

__all__ = [
    "SCHEME_NAMES",
    "read_labels",
    "read_labels_with_notices",
    "read_volume",
    "read_volume_with_notices",
    "result_folder",
    "write_json",
    "write_volume",
]
