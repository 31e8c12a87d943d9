"""Messages as plain values, as JSON has them: for files, the command line and the journal."""
