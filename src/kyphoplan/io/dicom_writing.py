"""A volume as a DICOM CT series: for phantoms, so that DICOM readers can be tried on known truth.

Every object says that it is synthetic and for research only. The same volume gives the same bytes.
"""

import hashlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Volume
from kyphoplan.errors import GeometryError
from kyphoplan.geometry import Array, angle_deg, unit
from kyphoplan.io.dicom import CT_IMAGE
from kyphoplan.io.output import result_folder
from kyphoplan.io.placement import UPRIGHT_DEG, tilt_deg

DISCLAIMER = "SYNTHETIC PHANTOM, NO PATIENT. Research and teaching use only, not for diagnosis."
UID_ROOT = "1.2.826.0.1.3680043.8.498."  # pydicom's root, free for generated UIDs
HIGHEST_HU, LOWEST_HU = 32767, -32768  # [HU] what signed 16 bits hold


def write_dicom_series(
    volume: Volume,
    folder: str | Path,
    *,
    patient_id: str = "PHANTOM",
    patient_name: str = "Phantom^Synthetic",
    overwrite: bool = False,
) -> Path:
    """Write a synthetic CT [HU] as one CT Image object per slice (the volume's k axis).

    A stack that is tilted against its slices (gantry tilt) is written as such: each slice has its
    own ImagePositionPatient. Slices themselves must have right angles.

    Raises
    ------
    GeometryError
        If i and j are not at right angles: DICOM cannot say so.
    OutputError
        If the folder cannot be written, or holds anything already.

    References
    ----------
    DICOM PS3.3 A.3 (CT Image IOD), C.7.6.2 (Image Plane Module).
    """
    row, column, _ = volume.affine[:3, :3].T
    if abs(angle_deg(row, column) - 90.0) > UPRIGHT_DEG:
        raise GeometryError("rows and columns are not at right angles: reorder the volume's axes")
    folder = Path(folder)
    stored = np.clip(np.round(volume.voxels), LOWEST_HU, HIGHEST_HU).astype("<i2")
    key = hashlib.sha256(stored.tobytes() + volume.affine.tobytes() + patient_id.encode())
    common = _common(volume.affine, key.hexdigest(), patient_id, patient_name)
    with result_folder(folder, overwrite=overwrite) as working:
        for k in range(volume.shape[2]):
            _write_slice(working / f"slice_{k + 1:04d}.dcm", common, stored[:, :, k], volume, k)
    return folder


def _common(affine: Array, key: str, patient_id: str, patient_name: str) -> Any:
    """Build what all slices share (patient, study, series, equipment, image)."""
    from pydicom.dataset import Dataset  # noqa: PLC0415
    from pydicom.uid import generate_uid  # noqa: PLC0415

    header = Dataset()
    header.SOPClassUID = CT_IMAGE
    header.Modality = "CT"
    for field, role in (
        ("StudyInstanceUID", "study"),
        ("SeriesInstanceUID", "series"),
        ("FrameOfReferenceUID", "frame"),
    ):
        setattr(header, field, generate_uid(UID_ROOT, entropy_srcs=[key, role]))
    header.PatientID, header.PatientName = patient_id, patient_name
    header.PatientBirthDate = header.PatientSex = ""
    header.PatientComments = header.ImageComments = DISCLAIMER
    header.StudyDate = header.StudyTime = header.AccessionNumber = ""
    header.ReferringPhysicianName = header.PositionReferenceIndicator = ""
    header.StudyID = "1"
    header.StudyDescription = header.SeriesDescription = "Synthetic phantom, research only"
    header.SeriesNumber, header.AcquisitionNumber = 1, 1
    header.Manufacturer = header.ManufacturerModelName = "kyphoplan phantom"
    header.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    header.QualityControlImage = "YES"
    header.BurnedInAnnotation = "NO"
    header.PatientPosition = "HFS"
    header.BodyPartExamined = "SPINE"
    header.KVP = None
    _describe_pixels(header, affine)
    return header


def _describe_pixels(header: Any, affine: Array) -> None:
    """State pixel layout, Hounsfield scale and the geometry that all slices share."""
    row, column, step = affine[:3, :3].T
    normal = np.cross(unit(row), unit(column))
    header.ImageOrientationPatient = _decimals([*unit(row), *unit(column)])
    header.PixelSpacing = _decimals([np.linalg.norm(column), np.linalg.norm(row)])
    header.SliceThickness = _decimals([abs(step @ normal)])[0]
    header.GantryDetectorTilt = _decimals([tilt_deg(affine)])[0]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.PixelRepresentation = 1
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = "0", "1", "HU"
    header.WindowCenter, header.WindowWidth = "400", "2000"


def _write_slice(path: Path, common: Any, stored: NDArray[Any], volume: Volume, k: int) -> None:
    """Write slice k: its pixels, place and number."""
    import pydicom  # noqa: PLC0415
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid  # noqa: PLC0415

    header = deepcopy(common)
    header.SOPInstanceUID = generate_uid(
        UID_ROOT, entropy_srcs=[str(common.SeriesInstanceUID), str(k)]
    )
    header.InstanceNumber = k + 1
    header.ImagePositionPatient = _decimals(volume.to_patient([0, 0, k]))
    header.Columns, header.Rows = stored.shape
    header.PixelData = np.ascontiguousarray(stored.T).tobytes()
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.preamble = bytes(128)
    pydicom.dcmwrite(path, header, enforce_file_format=True)


def _decimals(values: Any) -> list[Any]:
    """Return numbers as DICOM decimal strings, which hold 16 characters."""
    from pydicom.valuerep import DSfloat  # noqa: PLC0415

    return [DSfloat(float(v) + 0.0, auto_format=True) for v in values]
