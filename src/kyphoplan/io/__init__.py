"""The edge: bytes to nouns and back. The only code that opens files."""

from kyphoplan.io.casefile import from_json, to_json
from kyphoplan.io.dicom_writing import write_dicom_series
from kyphoplan.io.label_schemes import SCHEME_NAMES
from kyphoplan.io.labels import read_labels, read_labels_with_notices
from kyphoplan.io.output import result_folder, write_json
from kyphoplan.io.patient_record import read_patient
from kyphoplan.io.together import check_together
from kyphoplan.io.volumes import read_volume, read_volume_with_notices, write_volume

__all__ = [
    "SCHEME_NAMES",
    "check_together",
    "from_json",
    "read_labels",
    "read_labels_with_notices",
    "read_patient",
    "read_volume",
    "read_volume_with_notices",
    "result_folder",
    "to_json",
    "write_dicom_series",
    "write_json",
    "write_volume",
]
