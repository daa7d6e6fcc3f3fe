# Nothing that the service depends on is being released in the same environment.
# Facts: facts.dependencies: a list of services.
package quiet_neighbours

hold contains {"msg": msg, "code": "quiet-neighbours"} if {
	some other in input.running
	other.environment == input.release.environment
	other.service in input.facts.dependencies
	msg := sprintf("%s is being released, and this service depends on it", [other.service])
}
