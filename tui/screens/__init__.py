"""What comes up over the main screen: questions, choices, help."""
