"""The texts of inoculation experiments: the library's by trait, irrelevant ones, and the requests that a user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pytest_persona.errors import InputError
from pytest_persona.load.documents import read_document
from pytest_persona.model.inoculation import Wordings

__all__ = ["WordingLibrary", "read_texts", "read_wordings"]

_PATH = Path(__file__).parent.parent / "library" / "inoculations.yaml"
_NONE = Wordings()


@dataclass(frozen=True, kw_only=True, slots=True)
class WordingLibrary:
    """What is at hand for the arms of an experiment."""

    placebos: tuple[str, ...]
    """Texts that ask for something else, of many lengths."""
    traits: Mapping[str, Wordings]

    def of(self, trait: str) -> Wordings:
        """The texts for a trait; empty for one that the library does not know."""
        return self.traits.get(trait, _NONE)


@lru_cache
def read_wordings() -> WordingLibrary:
    """The built-in library; the tests check it against its schema, as doing it here would cost time in every run."""
    data = read_document(_PATH, InputError).data
    traits = {
        name: Wordings(**{kind: tuple(texts) for kind, texts in own.items()}) for name, own in data["traits"].items()
    }
    return WordingLibrary(placebos=tuple(data["placebos"]), traits=traits)


def read_texts(given: Sequence[str], folders: Sequence[Path], *, field: str) -> tuple[str, ...]:
    """The distinct texts that a user names, each itself or the name of a file with one text a line.

    Files are looked for in ``folders``. Raises InputError, naming ``field``, for a file that cannot be read or is empty, and for
    a name that ends like a text file's where there is none.
    """
    texts: list[str] = []
    for one in given:
        path = _found(one, folders)
        if path is not None:
            texts += _lines(path, one, field)
        elif one.endswith(".txt") and len(one.split()) == 1:
            raise InputError("no such file", remedy="Check the path, or write the text itself", path=one, field=field)
        elif not one.strip():
            raise InputError("the text is empty", remedy="Write what is to be asked for", field=field)
        else:
            texts.append(one.strip())
    return tuple(dict.fromkeys(texts))


def _found(name: str, folders: Sequence[Path]) -> Path | None:
    for folder in folders:
        try:
            if (folder / name).is_file():
                return folder / name
        except (OSError, ValueError):  # a text that is no name of a file: too long, or with a NUL
            return None
    return None


def _lines(path: Path, name: str, field: str) -> list[str]:
    try:
        texts = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=name, field=field) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", remedy="Save it as UTF-8", path=name, field=field) from None
    if not texts:
        raise InputError("there is no text in it", remedy="Write one text a line", path=name, field=field)
    return texts
