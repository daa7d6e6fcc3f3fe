# The images have no critical vulnerability, and at most five high ones.
# Facts: facts.vulnerabilities: { critical, high }. Counts that are no numbers hold the release.
package vulnerabilities

deny contains {"msg": "the images have critical vulnerabilities", "code": "vulnerabilities"} if {
	is_count(input.facts.vulnerabilities.critical)
	input.facts.vulnerabilities.critical > 0
}

deny contains {"msg": "the images have more than five high vulnerabilities", "code": "vulnerabilities"} if {
	is_count(input.facts.vulnerabilities.high)
	input.facts.vulnerabilities.high > 5
}

hold contains {"msg": "facts.vulnerabilities.critical is no count", "code": "vulnerabilities"} if {
	not is_count(input.facts.vulnerabilities.critical)
}

hold contains {"msg": "facts.vulnerabilities.high is no count", "code": "vulnerabilities"} if {
	not is_count(input.facts.vulnerabilities.high)
}

is_count(value) if {
	is_number(value)
	value >= 0
}
