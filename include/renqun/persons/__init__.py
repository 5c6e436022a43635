"""By what a person is known, and who must not come back."""
