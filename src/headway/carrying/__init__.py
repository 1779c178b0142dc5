"""The ledger and what goes with it, carried from one machine to the next on a branch of the project's repository.

A runner of a CI begins with an empty disk: it loads, works and saves. The branch is Headway's own; the ledger in it has
to continue the one of every save before (G4), and a save never goes over one that was not loaded.
"""

from headway.carrying.common import state_branch
from headway.carrying.loading import Loaded, Standing, load
from headway.carrying.saving import Kept, save

__all__ = ["Kept", "Loaded", "Standing", "load", "save", "state_branch"]
