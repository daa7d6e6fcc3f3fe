# The service keeps at least three replicas in each zone that it runs in.
# Facts: facts.zones: a list of { name, replicas }. Replicas that are no number hold the release.
package replica_floor

deny contains {"msg": msg, "code": "replica-floor"} if {
	some zone in input.facts.zones
	is_number(zone.replicas)
	zone.replicas < 3
	msg := sprintf("the zone %v has %v replicas; three are needed", [zone.name, zone.replicas])
}

hold contains {"msg": msg, "code": "replica-floor"} if {
	some zone in input.facts.zones
	not is_number(zone.replicas)
	msg := sprintf("the replicas of the zone %v are no number", [zone.name])
}
