"""Results on disk, written as they come, so that a run that was cut off goes on where it was."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Store:
    """A JSON file of records by name.

    Args:
        path: the file; what it holds already is not done again.
        about: what is run on what, the record "about".
        said: called with a line for each record that is made.

    Raises:
        ValueError: for a file about something else.
    """

    def __init__(self, path: Path, about: dict[str, Any], said: Callable[[str], None] = print):
        self.path, self.said = path, said
        self.records: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        about = json.loads(json.dumps(about))
        if self.once("about", lambda: about) != about:
            raise ValueError(f"{path} holds results of other songs or another setting: choose another folder")

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The record of this name, made now if there is none."""
        if name not in self.records:
            begun = time.perf_counter()
            self.records[name] = make()
            text = json.dumps(self.records, separators=(",", ":"))
            self.path.write_text(text.replace('},"', '},\n"') + "\n")
            self.said(f"{time.perf_counter() - begun:7.1f} s  {name}")
        return self.records[name]
