"""The pages and their addresses, a group in each file; ``headway.web.pages`` puts them together."""
