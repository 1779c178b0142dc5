"""What is done with container images: written down with their candidate, promoted with its release (B4, N1, V5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.commit import Sha
from headway.model.image import CandidateImage


@dataclass(frozen=True, slots=True)
class RecordImages:
    """Write down which images belong to a candidate: each by its digest (B4)."""

    kind: ClassVar[str] = "record-images"
    train: str
    tag: str
    commit: Sha
    images: tuple[CandidateImage, ...]

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class PromotedImage:
    """The image and the tags that are to name it: ``tag`` for good, ``latest`` (``""``: no) while it is greatest."""

    image: CandidateImage
    tag: str
    latest: str


@dataclass(frozen=True, slots=True)
class PublishImages:
    """Put the very manifests of the accepted candidate under the release's tags (N1, V5).

    ``greatest`` is the greatest released version: ``latest`` moves only when it is this one.
    """

    kind: ClassVar[str] = "publish-images"
    train: str
    tag: str
    commit: Sha
    images: tuple[PromotedImage, ...]
    greatest: str

    @property
    def target(self) -> str:
        return self.train
