# Every image comes from a registry that is allowed. Write your own into the list.
# Facts: facts.images: a list of { ref }.
package registries

allowed := ["registry.example.com/", "ghcr.io/example/"]

deny contains {"msg": msg, "code": "registries"} if {
	some image in input.facts.images
	not strings.any_prefix_match(image.ref, allowed)
	msg := sprintf("the image %s is from a registry that is not allowed", [image.ref])
}
