"""The shipped example settings, each setting under its own words: `python -m tests.docs.example_settings` writes them.

The words are the docstrings of the settings' models, so that a setting is explained in one place and read in two.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from appliance.courier.settings import CourierSettings
from appliance.recorder.settings import RecorderSettings
from archive.configuration.file import Configuration

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES: dict[str, type[BaseModel]] = {
    "appliance/recorder/recorder.example.toml": RecorderSettings,
    "appliance/courier/courier.example.toml": CourierSettings,
    "archive/archive.example.toml": Configuration,
}
SETTING = re.compile(r"(?P<off># )?(?P<name>[a-z_0-9]+) = (?P<value>.*)")
SECTION = re.compile(r"(?:# )?\[\[?(?P<name>[a-z0-9_.]+)\]\]?")


def first_sentence(docstring: str) -> str:
    """Return the first sentence, up to a full stop that a capital letter or nothing follows."""
    text = " ".join(docstring.split())
    return re.split(r"(?<=\.) (?=[A-Z`])", text, maxsplit=1)[0]


def words(model: type[BaseModel]) -> dict[str, str]:
    """Return the first sentence about each setting of a model, and under an empty name that about the section."""
    module = ast.parse(Path(str(sys.modules[model.__module__].__file__)).read_text(encoding="utf-8"))
    (node,) = [one for one in module.body if isinstance(one, ast.ClassDef) and one.name == model.__name__]
    found = {"": first_sentence(ast.get_docstring(node) or "")}
    for one, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(after, ast.Expr):
            assert isinstance(after.value, ast.Constant), one.target.id
            found[one.target.id] = first_sentence(str(after.value.value))
    return found


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every section of a settings file with its model, the whole file under an empty name."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = section_model(field.annotation)
        if inner is not None:
            yield from sections(inner, f"{path}.{name}".lstrip("."))


def section_model(annotation: object) -> type[BaseModel] | None:
    """Return the model of a setting that is a section, or a list of such, else None."""
    is_many = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is list
    kinds = typing.get_args(annotation) if is_many else (annotation,)
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)


def settings_of(model: type[BaseModel]) -> dict[str, object]:
    """Return the settings of one section with their defaults."""
    return {
        name: field.default for name, field in model.model_fields.items() if section_model(field.annotation) is None
    }


def written(text: str, model: type[BaseModel]) -> str:
    """Return the example `text` with each setting of `model`, explained by the first sentence about it."""
    known = dict(sections(model))
    head, _, _ = text.partition("\n\n")
    lines, section, missing = [head, ""], "", dict(settings_of(model))

    def rest() -> Iterator[str]:
        for name, default in missing.items():
            yield from (f"# {words(known[section])[name]}", f"# {name} = {shown(default)}")

    for line in text[len(head) :].splitlines():
        if begins := SECTION.match(line):
            lines += rest()
            section = begins["name"]
            missing = dict(settings_of(known[section]))
            lines += [*([""] if lines[-1] else []), f"# {words(known[section])['']}", begins[0]]
        elif (found := SETTING.fullmatch(line)) and found["name"] in missing:
            del missing[found["name"]]
            value = re.sub(r"\s{2,}#.*$", "", found["value"]) + others(known[section], found["name"], found["value"])
            lines += [f"# {words(known[section])[found['name']]}", f"{found['off'] or ''}{found['name']} = {value}"]
    return "\n".join([*lines, *rest()]) + "\n"


def others(model: type[BaseModel], name: str, value: str) -> str:
    """Return what else can stand there, where a setting is one of a few words or numbers."""
    choices = [json.dumps(one) for one in typing.get_args(model.model_fields[name].annotation) if is_choice(one)]
    rest = [one for one in choices if not value.startswith(one)]
    return f"  # or {', '.join(rest)}" if len(choices) > 1 else ""


def is_choice(one: object) -> bool:
    """Tell whether this is a value, of `Literal`, and no type."""
    return isinstance(one, str | int)


def shown(default: object) -> str:
    """Return a default as TOML; of what is nothing by default, a place for a value."""
    if isinstance(default, dict):
        return "{}"
    plain = (bool, int, float, str, list)
    return '"..."' if default is None else json.dumps(default if isinstance(default, plain) else str(default))


if __name__ == "__main__":
    for path, model in EXAMPLES.items():
        (ROOT / path).write_text(written((ROOT / path).read_text(encoding="utf-8"), model), encoding="utf-8")
        sys.stdout.write(f"{path} explains each setting\n")
