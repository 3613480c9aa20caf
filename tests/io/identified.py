"""Images that say who they are of."""

from pathlib import Path

import pydicom
from pydicom.dataset import FileMetaDataset


def images_of(folder: Path, name: str = "Müller^Anna", number: str = "EX-01") -> Path:
    """Write the header of one image into a new folder, and a file that is none."""
    header = pydicom.Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientID, header.PatientName = number, name
    header.PatientBirthDate, header.PatientSex = "19510504", "F"
    header.SOPClassUID = pydicom.uid.CTImageStorage
    header.SOPInstanceUID = "1.2.3"
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    folder.mkdir()
    header.save_as(folder / "a.dcm", enforce_file_format=True)
    (folder / "readme.txt").write_text("no image", encoding="utf-8")
    return folder
