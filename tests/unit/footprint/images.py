"""Archives of images, as `docker save` writes them, and footprints for tests to compare."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence

from harness.footprint.loading import Loading, Module
from harness.footprint.measure import Footprint
from harness.footprint.parts import Part

Layer = Mapping[str, bytes | str]


def archive(*layers: Layer) -> io.BytesIO:
    """An archive; in a layer, bytes are a file, a text is the target of a link."""
    members: dict[str, bytes] = {}
    for number, layer in enumerate(layers):
        members[f"{number}/layer.tar"] = tar(layer)
        members[f"{number}/VERSION"] = b"1.0"
    members["config.json"] = b"{}"
    names = [f"{number}/layer.tar" for number, _ in enumerate(layers)]
    members["manifest.json"] = json.dumps([{"Layers": names}]).encode()
    return io.BytesIO(tar(members))


def tar(members: Layer) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                made.addfile(member)
            else:
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def footprint(
    parts: Sequence[tuple[str, int, str]],
    modules: Mapping[str, tuple[str, str]],
    importers: Mapping[str, Sequence[str]] | None = None,
    title: str = "placement 16.0.0",
) -> Footprint:
    """A footprint of parts (path, size, distribution) and modules: (distribution, importer)."""
    loaded = Loading(
        "3.13.5",
        0.5,
        [Module(name, f"/{name}.py", 1000, importer) for name, (_, importer) in modules.items()],
        importers or {},
        {"rss": 80_000_000},
        [],
    )
    return Footprint(
        title,
        sum(size for _, size, _ in parts),
        [Part(path, size, distribution, "package") for path, size, distribution in parts],
        loaded,
        {name: distribution for name, (distribution, _) in modules.items()},
    )
