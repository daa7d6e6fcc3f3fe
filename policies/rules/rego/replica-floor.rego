# The service keeps at least three replicas in each zone that it runs in.
# Facts: facts.zones: a list of { name, replicas }.
package replica_floor

deny contains {"msg": msg, "code": "replica-floor"} if {
	some zone in input.facts.zones
	zone.replicas < 3
	msg := sprintf("the zone %s has %d replicas; three are needed", [zone.name, zone.replicas])
}
