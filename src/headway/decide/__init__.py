"""Pure rules, one file per part of the policy."""
