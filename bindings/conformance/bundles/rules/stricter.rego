package stricter

fail contains "restarts" if input.facts.restarts > 0
