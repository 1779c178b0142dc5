"""A bill of materials of a wheel: CycloneDX 1.6 as JSON, the same bytes for the same facts."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from headway import __version__
from headway.model.build import Artifact, Installed
from headway.model.commit import Sha
from headway.simple import name_version_of


def sbom(wheel: Artifact, installed: tuple[Installed, ...] | None, *, commit: Sha, at: datetime) -> str:
    """The document of ``wheel`` (its name must be a wheel's): the wheel is its subject, ``installed`` its components.

    ``installed`` holds the wheel's own distribution too, whose requirements are the direct ones; ``None``: it was not
    tested, so nothing is known of what comes with it, and the document says so. ``at`` is the commit's time: neither a
    moment nor a number of chance is in it.
    """
    named = name_version_of(wheel.file)
    assert named is not None  # noqa: S101 - build.expect calls nothing else a wheel
    name = named[0]
    root = Component(
        name=name,
        version=named[1],
        type=ComponentType.LIBRARY,
        bom_ref=wheel.file,
        purl=PackageURL("pypi", None, name, named[1], {"file_name": wheel.file}),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        properties=[
            Property(name="headway:commit", value=commit),
            Property(name="headway:requirements", value="unknown" if installed is None else "as-tested"),
        ],
    )
    own = next((i for i in installed or () if i.name == name), None)
    if own and own.license:
        root.licenses.add(LicenseFactory().make_from_string(own.license))
    others = {i.name: _component(i) for i in installed or () if i.name != name}
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"headway:{wheel.sha256}:{commit}"), version=1, components=others.values()
    )
    bom.metadata.component = root
    bom.metadata.timestamp = at
    tool = Component(name="headway", version=__version__, type=ComponentType.APPLICATION, bom_ref="headway")
    bom.metadata.tools.components.add(tool)
    known = {name: root, **others}
    for i in installed or ():
        needs = [Dependency(known[r].bom_ref) for r in i.requires if r in known]
        bom.dependencies.add(Dependency(known[i.name].bom_ref, needs))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(i: Installed) -> Component:
    made = Component(
        name=i.name,
        version=i.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{i.name}=={i.version}",
        purl=PackageURL("pypi", None, i.name, i.version),
    )
    if i.license:
        made.licenses.add(LicenseFactory().make_from_string(i.license))
    return made
