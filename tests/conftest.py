"""Its being here puts this folder on the import path, for the makers that tests of all kinds share."""
