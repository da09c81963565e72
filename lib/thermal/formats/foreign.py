"""Files of temperatures that only their producers' software, or libraries that aren't used here, can read."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lib.thermal.formats.jpeg import Segment
from lib.utils.errors import DataError

_CSV = "export its temperatures as CSV"
CONVERTERS = {
    ".csq": f"FLIR's compressed sequence: {_CSV} from FLIR Thermal Studio, or convert it with the FLIR Science File "
    "SDK",
    ".ats": f"a sequence of FLIR's science cameras: {_CSV} from FLIR Research Studio, or read it with the FLIR Science "
    "File SDK for Python and save the frames as .npy",
    ".ptw": f"a sequence of FLIR's science cameras: {_CSV} from FLIR Research Studio",
    ".sfmov": f"a sequence of FLIR's science cameras: {_CSV} from FLIR Research Studio",
    ".is2": f"Fluke's format: {_CSV} from Fluke Connect or SmartView",
    ".is3": f"Fluke's format of videos: {_CSV}, frame by frame, from Fluke Connect or SmartView",
    ".irb": f"InfraTec's format: {_CSV} from IRBIS 3",
    ".irg": f"InfiRay's format: {_CSV} from InfiRay's software, or read it with the Python module infiray_irg and "
    "save its deg C as .npy",
    ".bmt": f"Testo's format: {_CSV} from IRSoft",
    ".vmt": f"Testo's format of videos: {_CSV}, frame by frame, from IRSoft",
    ".ravi": f"Optris's format of videos: {_CSV} from PIX Connect",
    ".tmc": "TeAx's format: export 16-bit TIFF from ThermoViewer, or convert it with the Python package flirpy",
}
"""How each becomes a file that is read here, by the end of its name in lower case."""

_APP0, _APP1, _APP3, _APP4, _APP15 = 0xE0, 0xE1, 0xE3, 0xE4, 0xEF
_SMALLEST = 2 * 120 * 90
"""Bytes of the smallest frame of 16 bits that a camera may put into a JPEG."""
_DJI_PARAMETERS = b"\xaa\x55\x12\x06"
_MAKE = 271
_USUAL = (
    *(b"JFIF\0", b"JFXX\0", b"Exif\0", b"http://ns.adobe.com/", b"ICC_PROFILE\0", b"MPF\0", b"FLIR\0", b"Adobe"),
    *(b"Photoshop", b"Ducky", b"FPXR\0", b"JPS", b"META", b"Meta", b"HDR_RI", b"urn:iso"),
)
"""How segments begin that pictures of all kinds have."""
HIDDEN = (
    "holds much data beside its picture, which may be temperatures in the camera's own format; to have them, export "
    "them as CSV or 16-bit TIFF from the camera's software"
)


def converter_of(path: Path) -> str:
    """What a file is that isn't read here, and how it becomes one that is; empty where neither is known."""
    return CONVERTERS.get(path.suffix.lower(), "")


def refuse_dji(found: Sequence[Segment], path: Path) -> None:
    """Refuse the radiometric JPEGs of DJI's own cameras, whose counts only DJI's library can convert.

    Args:
        found: the file's segments.
        path: of the file.

    Raises:
        DataError: it is one; the message says how to convert it.
    """
    if not _of_dji(found):
        return
    with Image.open(path, formats=("JPEG",)) as picture:
        size = f"{picture.height}, {picture.width}"
    raise DataError(
        f"{path}: a radiometric JPEG in DJI's own format, which only DJI's software reads. With the DJI Thermal SDK: "
        f"dji_irp -s {path.name} -a measure --measurefmt float32 -o frame.raw, and in Python "
        f"numpy.save('frame.npy', numpy.fromfile('frame.raw', '<f4').reshape({size})); or {_CSV} from the DJI Thermal "
        "Analysis Tool. To segment the picture without temperatures, save it as PNG"
    )


def _of_dji(found: Sequence[Segment]) -> bool:
    exif = next((part.content for part in found if part.marker == _APP1 and part.content.startswith(b"Exif\0")), b"")
    if b"DJI" not in exif:
        return False
    tags = Image.Exif()
    try:
        tags.load(exif)
    except Exception:  # damaged EXIF fails in many ways
        return False
    counts = sum(len(part.content) for part in found if part.marker == _APP3)
    parameters = any(part.marker == _APP4 and part.content.startswith(_DJI_PARAMETERS) for part in found)
    return str(tags.get(_MAKE, "")).startswith("DJI") and (counts >= _SMALLEST or parameters)


def hides_data(found: Sequence[Segment]) -> bool:
    """Whether a JPEG's segments hold enough unknown data for a frame of temperatures."""
    unknown = (part for part in found if _APP0 <= part.marker <= _APP15 and not part.content.startswith(_USUAL))
    return sum(len(part.content) for part in unknown) >= _SMALLEST
