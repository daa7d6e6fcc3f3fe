# The images have no critical vulnerability, and at most five high ones.
# Facts: facts.vulnerabilities: { critical, high }.
package vulnerabilities

deny contains {"msg": "the images have critical vulnerabilities", "code": "vulnerabilities"} if {
	input.facts.vulnerabilities.critical > 0
}

deny contains {"msg": "the images have more than five high vulnerabilities", "code": "vulnerabilities"} if {
	input.facts.vulnerabilities.high > 5
}
