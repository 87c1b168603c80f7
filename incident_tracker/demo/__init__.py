"""The example organisation of `make demo`: made-up people and incidents, and six published breaches, entered through the real actions."""
