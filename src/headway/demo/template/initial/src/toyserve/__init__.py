"""A toy inference engine."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("toyserve")
except PackageNotFoundError:  # run from a source tree
    __version__ = "0+unknown"
