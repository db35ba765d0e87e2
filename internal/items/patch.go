package items

import (
	"github.com/oapi-codegen/nullable"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/validation"
)

// mergePatch applies a JSON merge patch (RFC 7396) to the content. Every member of it has been validated; what
// remains is what a patch can break only together with the item that it meets.
func mergePatch(content *api.NewItem, patch *api.ItemPatch) error {
	if patch.Name != nil {
		content.Name = *patch.Name
	}
	if patch.Price != nil {
		content.Price = *patch.Price
	}
	merge(&content.Description, patch.Description)
	category := (*api.ItemPatchCategory)(content.Category)
	merge(&category, patch.Category)
	content.Category = (*api.Category)(category)
	merge(&content.Tags, patch.Tags)
	merge(&content.AvailableFrom, patch.AvailableFrom)
	merge(&content.SupplierEmail, patch.SupplierEmail)
	return mergeDimensions(&content.Dimensions, patch.Dimensions)
}

// merge applies a member: absent leaves the target, null removes it, a value replaces it.
func merge[T any](target **T, member nullable.Nullable[T]) {
	switch value, err := member.Get(); {
	case err == nil:
		*target = &value
	case member.IsNull():
		*target = nil
	}
}

// mergeDimensions applies an object, member by member. Where the item has none yet, the patch must give every member.
func mergeDimensions(target **api.Dimensions, member nullable.Nullable[api.DimensionsPatch]) error {
	patch, err := member.Get()
	if err != nil {
		if member.IsNull() {
			*target = nil
		}
		return nil
	}
	var merged api.Dimensions
	if *target != nil {
		merged = **target
	}
	var missing validation.Violations
	for _, m := range []struct {
		name     string
		from, to *float64
	}{
		{"width", patch.Width, &merged.Width},
		{"height", patch.Height, &merged.Height},
		{"depth", patch.Depth, &merged.Depth},
	} {
		if m.from != nil {
			*m.to = *m.from
		} else if *target == nil {
			missing.Body("/dimensions/"+m.name, "required", "is required")
		}
	}
	if err := missing.Err(); err != nil {
		return err
	}
	*target = &merged
	return nil
}
