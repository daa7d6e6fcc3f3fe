# Nothing that the service depends on is being released in the same environment.
# Facts: facts.dependencies: a list of services. What is no list of names holds the release.
package quiet_neighbours

hold contains {"msg": msg, "code": "quiet-neighbours"} if {
	some other in input.running
	other.environment == input.release.environment
	other.service in input.facts.dependencies
	msg := sprintf("%s is being released, and this service depends on it", [other.service])
}

hold contains {"msg": "facts.dependencies is no list of names", "code": "quiet-neighbours"} if not are_names

are_names if {
	is_array(input.facts.dependencies)
	every name in input.facts.dependencies {
		is_string(name)
	}
}
