"""What was asked for: options, environment and ini settings become a plan. Starts nothing."""
