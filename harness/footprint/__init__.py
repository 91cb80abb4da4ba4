"""Measures what a placement image holds, imports and reads. Changes no image."""
