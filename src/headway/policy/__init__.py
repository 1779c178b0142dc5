"""release.toml: schema, loader, presets, version schemes, clause texts."""

POLICY_FILE = "release.toml"
