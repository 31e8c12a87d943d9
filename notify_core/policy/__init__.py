"""Decisions about waiting and leaving alone: pure functions, with the time passed in."""
