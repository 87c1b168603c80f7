"""Workers that are killed at random while thousands of warnings fall due; then it is counted at the mail server what arrived."""
