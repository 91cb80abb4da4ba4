"""Plain data, errors, deadlines, processes and files. Imports no other room."""
