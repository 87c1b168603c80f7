"""Ways out on paper and in files: values in, bytes out."""
