"""The API: what a program may ask and do, as JSON under /api/v1."""
