# A rollout adds at most a quarter of the replicas at once.
# Facts: facts.replicas and facts.maxSurge: numbers of replicas.
package max_surge

deny contains {"msg": "the rollout adds more than a quarter of the replicas at once", "code": "max-surge"} if {
	input.facts.maxSurge * 4 > input.facts.replicas
}
