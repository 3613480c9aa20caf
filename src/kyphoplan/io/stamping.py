"""What every file of a result says of itself: use, version, date, inputs, sides, level names.

The stamp is put on when a result folder is finished, by the kind of the file, so that no writer
can forget it: as a key of JSON, a footer of a page, metadata of a picture or mesh, a comment of a
header, a column of a table.
"""

import gzip
import html
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USE = "Research and teaching only; not for diagnosis or treatment"
SIDES = "Left and right are the patient's own"
COUNT = "confirm the level under fluoroscopy by counting"
STATED = "orientation_stated"  # code of the warning that sides were stated, not read
SHORT_HASH = 12  # [1] letters of a SHA-256 where there is room for no more
PNG_HEADER = 33  # [byte] signature and IHDR
STL_HEADER, NIFTI_DESCRIP = 80, slice(148, 228)  # [byte]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The facts that a file carries when it travels alone.

    Attributes
    ----------
    made_by : program and version.
    date_utc : when the run began.
    inputs : name and SHA-256 of each input, by what it served as.
    level_names : how it is known which vertebra is which.
    sides : how left and right are known, where the user stated them.
    """

    made_by: str
    date_utc: str
    inputs: Mapping[str, tuple[str, str]]
    level_names: str
    sides: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Stamp":
        """Take the facts from a run's record (``manifest.json``)."""
        inputs = record.get("inputs", {})
        stated = (w["text"] for w in record.get("warnings", ()) if w.get("code") == STATED)
        return cls(
            made_by=str(record.get("made_by", "kyphoplan")),
            date_utc=str(record.get("date_utc", "")),
            inputs={role: (str(i["name"]), str(i["sha256"])) for role, i in inputs.items()},
            level_names=str(record.get("level_names", "")),
            sides="; ".join(stated),
        )

    @property
    def data(self) -> dict[str, Any]:
        """The stamp as plain data."""
        basis = f"{self.level_names}; {COUNT}" if self.level_names else COUNT
        return {
            "intended_use": USE,
            "made_by": self.made_by,
            "date_utc": self.date_utc,
            "inputs": {
                role: f"{name} sha256 {digest}" for role, (name, digest) in self.inputs.items()
            },
            "sides": f"{SIDES}; {self.sides}" if self.sides else SIDES,
            "level_names": basis,
        }

    @property
    def line(self) -> str:
        """The stamp as one line of text."""
        data = self.data
        inputs = "; ".join(f"{role}: {text}" for role, text in data["inputs"].items()) or "none"
        return (
            f"{data['intended_use']}. {self.made_by}, {self.date_utc}. Inputs: {inputs}. "
            f"{data['sides']}. Level names: {data['level_names']}."
        )

    @property
    def short(self) -> str:
        """The stamp in at most 62 ASCII letters: what an STL header has left."""
        digest = zlib.crc32("".join(d for _, d in self.inputs.values()).encode())
        inputs = f" {digest:08x}" if self.inputs else ""
        return f"{self.made_by} {self.date_utc} research only{inputs}"[:62]


def stamp(path: Path, mark: Stamp) -> None:
    """Put a stamp on a file, by its kind; kinds that cannot hold one stay as they are."""
    name = path.name.lower()
    for ending, put in KINDS.items():
        if name.endswith(ending):
            path.write_bytes(put(path.read_bytes(), mark))
            return


def _json(content: bytes, mark: Stamp) -> bytes:
    data = json.loads(content)
    if not isinstance(data, dict):
        return content
    text = json.dumps(
        data | {"provenance": mark.data}, ensure_ascii=False, indent=2, allow_nan=False
    )
    return (text + "\n").encode()


def stamped_page(page: str, mark: Stamp) -> str:
    """Return an HTML page with the stamp as a footer at the end of what it shows."""
    footer = f'<footer class="stamp"><p>{html.escape(mark.line)}</p></footer>\n'
    place = next((end for end in ("</main>", "</body>") if end in page), None)
    if place is None:
        return page
    head, _, tail = page.rpartition(place)
    return head + footer + place + tail


def _html(content: bytes, mark: Stamp) -> bytes:
    return stamped_page(content.decode(), mark).encode()


def _png(content: bytes, mark: Stamp) -> bytes:
    """Add an ``iTXt`` chunk behind the header chunk (PNG specification, 11.3.3.4)."""
    body = b"Provenance\0\0\0\0\0" + mark.line.encode()
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"iTXt" + body))
    return content[:PNG_HEADER] + chunk + content[PNG_HEADER:]


def _stl(content: bytes, mark: Stamp) -> bytes:
    """Write into the header of a binary STL, behind the space that 3D Slicer looks for there."""
    space = content[:STL_HEADER].decode("latin-1").split("kyphoplan", 1)[-1].strip()
    head = f"{space} {mark.short}".strip().encode("ascii", "replace")[:STL_HEADER]
    return head.ljust(STL_HEADER) + content[STL_HEADER:]


def _glb(content: bytes, mark: Stamp) -> bytes:
    """Add to ``asset.extras`` (glTF 2.0, 3.2 and 4.4)."""
    (length,) = struct.unpack_from("<I", content, 12)
    data = json.loads(content[20 : 20 + length])
    data["asset"].setdefault("extras", {})["provenance"] = mark.data
    text = json.dumps(data, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    rest = content[20 + length :]
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + rest
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _3mf(content: bytes, mark: Stamp) -> bytes:
    """Add a metadata element to the model of a 3MF archive."""
    made = io.BytesIO()
    metadata = f'<metadata name="LicenseTerms">{html.escape(mark.line)}</metadata><resources>'
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".model"):
                data = data.replace(b"<resources>", metadata.encode(), 1)
            new.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
    return made.getvalue()


def _csv(content: bytes, mark: Stamp) -> bytes:
    """Add a last column, so that each row carries the stamp."""
    head, *rows = content.decode().splitlines()
    text = mark.line.replace('"', "'")
    return "\n".join([f"{head},provenance", *(f'{row},"{text}"' for row in rows), ""]).encode()


def _nrrd(content: bytes, mark: Stamp) -> bytes:
    """Add a key and value to the header (NRRD file format, section 6)."""
    magic, _, rest = content.partition(b"\n")
    fields, _, data = rest.partition(b"\n\n")
    return magic + b"\n" + fields + b"\nprovenance:=" + mark.line.encode() + b"\n\n" + data


def _nii_gz(content: bytes, mark: Stamp) -> bytes:
    """Write into the field ``descrip`` of a NIfTI-1 header."""
    image = bytearray(gzip.decompress(content))
    text = mark.short.encode("ascii", "replace")
    image[NIFTI_DESCRIP] = text.ljust(NIFTI_DESCRIP.stop - NIFTI_DESCRIP.start, b"\0")
    return gzip.compress(bytes(image), 6, mtime=0)


def _vtu(content: bytes, mark: Stamp) -> bytes:
    head, _, rest = content.partition(b"?>\n")
    text = html.escape(mark.line).replace("--", "- -")
    return head + f"?>\n<!-- {text} -->\n".encode() + rest


KINDS: Mapping[str, Callable[[bytes, Stamp], bytes]] = {
    ".json": _json,
    ".html": _html,
    ".png": _png,
    ".stl": _stl,
    ".glb": _glb,
    ".3mf": _3mf,
    ".csv": _csv,
    ".nrrd": _nrrd,
    ".nii.gz": _nii_gz,
    ".vtu": _vtu,
}
