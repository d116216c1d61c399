"""From candidates to a decision: comparing them, baselines, savings and the explanation."""
