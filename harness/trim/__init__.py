"""Finds out what placement's image can go without, by trying. Changes no image that stacks use."""
