"""How a stack comes up, is found again, is checked and goes down."""
