# Two people who are not the author have approved the change.
# Facts: facts.author: who made it; facts.approvals: a list of { by }.
package four_eyes

deny contains {"msg": "two people other than its author must approve the change", "code": "four-eyes"} if {
	count(approvers) < 2
}

approvers contains approval.by if {
	some approval in input.facts.approvals
	approval.by != input.facts.author
}
