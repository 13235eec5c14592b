"""What makes calls fail: outcomes, injections, quotas and failure plans."""
