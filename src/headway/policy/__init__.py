"""release.toml: schema, loader, presets, version schemes, clause texts."""
