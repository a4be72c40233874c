"""Files that are written as a whole, or not at all."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write(file: Path, text: str) -> None:
    """Let `text` in UTF-8 take the place of `file`, which links may lead to; a device gets it directly.

    Raises OSError, and then leaves `file` as it was.
    """
    target = file.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8", newline="")
        return
    with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=target.parent, delete=False) as temporary:
        waiting = Path(temporary.name)
        try:
            temporary.write(text)
            temporary.close()
            waiting.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
            waiting.replace(target)
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
