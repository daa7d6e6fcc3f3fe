package images

deny contains {"msg": msg, "code": "images.pinned"} if {
	some image in input.facts.images
	not contains(image.ref, "@sha256:")
	msg := sprintf("%s is not pinned", [image.ref])
}

deny contains "an image is larger than the budget of all" if {
	some image in input.facts.images
	image.size > input.facts.budget / count(input.facts.images)
}
