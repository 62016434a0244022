"""Mail coming in: listeners, their sessions, and the pure rules of what is accepted."""
