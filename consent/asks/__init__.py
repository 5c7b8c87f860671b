"""Asking a partner to share, and referring a client to one."""
