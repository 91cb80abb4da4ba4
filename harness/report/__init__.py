"""What a run says: terminal, failures, tables, JUnit. Decides nothing."""
