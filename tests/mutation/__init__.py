"""Mutation testing of `incident_tracker/rules/`: the law is broken in one small place at a time, and a test must notice."""
