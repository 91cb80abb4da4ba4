"""gabbi's suites as pytest items; nothing else imports gabbi."""
