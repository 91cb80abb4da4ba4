"""Brings stacks up, finds them again, checks them and takes them down."""
