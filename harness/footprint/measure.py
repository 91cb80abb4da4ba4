"""The footprint of one image: its parts, its modules, its memory, its options."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.measurements import Progress
from harness.engine.docker import Engine
from harness.footprint import loading, parts
from harness.footprint.image import Files, read
from harness.footprint.loading import Loading, Module, Option
from harness.footprint.parts import Owners, Part
from harness.placements import checkout, specs
from harness.stack.images import build
from harness.stack.images.catalogue import IMAGES, with_parents
from harness.stack.images.contents import contents_of

FORMAT = 1
# The engine may count more than regular files, e.g. the names that links point to.
COUNTED = "links, as the engine counts them"


@dataclass(frozen=True, slots=True)
class Footprint:
    """An image, the modules imported from it, and the options that are read.

    ``size`` is the engine's figure, in bytes. The sizes of ``parts`` add up to it.
    ``distributions`` maps a module to its distribution.
    """

    title: str
    size: int
    parts: Sequence[Part]
    loading: Loading
    distributions: Mapping[str, str]

    @property
    def modules(self) -> Sequence[Module]:
        return self.loading.modules

    def as_data(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}


def of_placement(spec: str, engine: Engine, progress: Progress) -> Footprint:
    """The footprint of the image of a placement, which is built if it is not there.

    The image of a checkout has its code as it is now. Raises UsageError, BuildError, EngineError.
    """
    tag, title = image_of(spec, progress)
    return of_image(tag, engine, title=f"placement {title}")


def image_of(spec: str, progress: Progress) -> tuple[str, str]:
    """The tag of the image of a placement, which is built if it is not there, and a title."""
    placement = specs.resolve(spec, progress=progress)
    if placement.kind == "checkout":
        # A stack mounts the code over the image's. The image is to have the code itself.
        package = placement.tree / "placement"
        code = checkout.digest_of(package, checkout.package_files(package))
        placement = replace(placement, content=f"{placement.content}-{code}")
    contents = contents_of(with_parents(["placement"]), [placement])
    build.ensure_images(contents, progress)
    return IMAGES["placement"].tag(contents.of(placement)), placement.title


def of_image(image: str, engine: Engine, title: str = "") -> Footprint:
    """The footprint of any image of placement. Raises UsageError, EngineError."""
    details = engine.image_details(image)
    if not details:
        raise UsageError(f"The engine has no image {image}.", "List its images: docker image ls.")
    files = _files(engine, image)
    loaded = loading.load(engine, image, loading.interpreter(files))
    owners = Owners(files.records)
    image_parts = parts.parts(files, owners)
    uncounted = details[0].size - files.size
    if uncounted:
        image_parts.append(Part("", uncounted, COUNTED, ""))
    distributions = {module.name: owners.of_module(module.path) for module in loaded.modules}
    return Footprint(title or image, details[0].size, image_parts, loaded, distributions)


def _files(engine: Engine, image: str) -> Files:
    program = engine.save(image)
    try:
        return read(program.output)
    finally:
        # docker that waits for its output to be read takes no signal.
        program.close()
        program.end()


def saved(path: Path) -> Footprint:
    """A footprint that was saved as JSON. Raises UsageError for any other file."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", "Name another file."
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} holds no JSON: {error}.", "Make one: --json FILE.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(f"{path} is no footprint of format {FORMAT}.", "Make one: --json FILE.")
    try:
        return _footprint(data)
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{path} lacks parts of a footprint ({error}).", "Make it anew: --json FILE."
        ) from error


def _footprint(data: dict[str, Any]) -> Footprint:
    made = data["loading"]
    loaded = Loading(
        **{
            **made,
            "modules": [Module(**module) for module in made["modules"]],
            "options": [Option(**option) for option in made["options"]],
        }
    )
    image_parts = [Part(**part) for part in data["parts"]]
    return Footprint(data["title"], data["size"], image_parts, loaded, data["distributions"])
