# Nobody gets more traffic while an error budget burns, whoever burns it.
# Facts: none; the burn gate's findings.
package calm_budget

hold contains {"msg": msg, "code": "calm-budget"} if {
	some finding in input.findings
	finding.gate == "burn"
	finding.outcome != "pass"
	msg := sprintf("an error budget is not calm: %s", [finding.code])
}
