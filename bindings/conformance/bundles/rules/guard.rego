# What a release may not do, set by set.
package guard

deny contains "a change of production needs a ticket" if not input.facts.ticket

hold contains {"msg": msg, "code": "hours"} if {
	input.time.hour >= 22
	msg := sprintf("it is %d o'clock", [input.time.hour])
}

warn contains sprintf("%s: %v", [name, value]) if {
	some name, value in input.facts.notes
}

fail contains "restarts" if input.facts.restarts > 3
