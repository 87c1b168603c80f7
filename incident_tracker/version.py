"""The version of the tracker, in one place."""

VERSION = "0.1.0"
