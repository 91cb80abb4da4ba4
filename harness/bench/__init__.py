"""What this machine makes of it all: figures that compare within one run."""
