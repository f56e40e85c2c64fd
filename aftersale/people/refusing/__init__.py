"""The form by which a person refuses an application."""
