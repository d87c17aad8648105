"""Hostile input: good messages, what a vandal does to them, who has to read them, and a live bus in a flood of them."""
