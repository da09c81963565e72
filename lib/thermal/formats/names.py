"""Names of files for libraries that take them in UTF-8 alone."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """``path`` as text; of a name that isn't UTF-8 a link to it, which exists within the context.

    OpenCV's video reader crashes on such names, as of files from systems with other encodings.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = os.path.join(folder, f"link{path.suffix.encode('ascii', 'replace').decode()}")
            os.symlink(path.absolute(), link)
            yield link
    else:
        yield name
