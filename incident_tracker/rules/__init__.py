"""The law, pure: values in, values out; no pages, no tables, no clock."""
