"""The closed set of actions and the planner."""
