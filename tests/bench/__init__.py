"""Speed and memory of the tracker, as ratios within one run: `make bench`. Nothing in here is a test."""
