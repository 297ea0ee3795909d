"""Settings from one TOML file: what every part's settings have in common, and messages that name file and setting."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .errors import SettingsError
from .problems import explain, location


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path, because the program works in '/'")
    return path


AbsolutePath = Annotated[Path, Field(strict=False), AfterValidator(_absolute)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Section(BaseModel):
    """A section of a settings file: no name that is not defined, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Settings = TypeVar("Settings", bound=BaseModel)


def load_settings(path: Path, model: type[Settings], remedy: str) -> Settings:
    """Return the settings in a TOML file.

    `remedy` says how to name another file. Raises SettingsError that names file, setting and, for a misspelled one, its
    likely name.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings {path}: {error.strerror}; {remedy}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    unfilled = next(_unfilled(values, ""), None)
    if unfilled is not None:
        raise SettingsError(
            f"{path}: {unfilled} still has the shipped example's text in place of a value; put in your own, "
            "which enrollment gave, or remove the line if it has a default",
            field=unfilled,
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        known = list(setting_names(model))
        raise SettingsError(f"{path}: {explain(error, known)}", field=location(error)) from error


def _unfilled(value: object, name: str) -> Iterator[str]:
    """Yield the dotted name of every `<text in angle brackets>`, which is how the examples say what belongs there."""
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        yield name
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _unfilled(member, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for member in value:
            yield from _unfilled(member, name)


def setting_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every section and setting."""
    for name, field in model.model_fields.items():
        yield prefix + name
        kinds = (
            typing.get_args(field.annotation) if isinstance(field.annotation, types.UnionType) else [field.annotation]
        )
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from setting_names(kind, f"{prefix}{name}.")
