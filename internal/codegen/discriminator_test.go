package codegen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDiscriminatorsWithoutMapping: an alternative that no mapping names goes by the name of its component, but for one that
// demands another value itself: by its name nothing would be accepted.
func TestDiscriminatorsWithoutMapping(t *testing.T) {
	const alternatives = `    Animal: { oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }], discriminator: { propertyName: kind } }
    Cat: { type: object, required: [kind], properties: { kind: CAT, lives: { type: integer } } }
    Dog: { type: object, required: [kind], properties: { kind: DOG, tricks: { type: integer } } }
`
	for _, row := range []struct {
		name, cat, dog string
		want           []string
		not            []string
	}{
		{"open members", "{ type: string }", "{ type: string }", []string{`case "Cat":`, `case "Dog":`, `c.NotDiscriminated(v, "kind", "Cat, Dog")`}, nil},
		{"the name among the values", "{ enum: [Cat, Lion] }", "{ const: Dog }", []string{`case "Cat":`, `case "Dog":`}, []string{`case "Lion":`}},
		{"other values", "{ type: string, enum: [cat, lion] }", "{ const: dog }", []string{`case "cat":`, `case "lion":`, `case "dog":`, `c.NotDiscriminated(v, "kind", "cat, lion, dog")`}, []string{`case "Cat":`, `case "Dog":`}},
		{"values that tell nothing apart", "{ const: pet }", "{ const: pet }", []string{"c.OneOf(v, checkCat, checkDog)"}, []string{"NotDiscriminated"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(minimal, "    Thing:\n", strings.NewReplacer("CAT", row.cat, "DOG", row.dog).Replace(alternatives)+"    Thing:\n", 1)
			text = strings.Replace(text, "name: { type: string, maxLength: 10 }", "name: { $ref: '#/components/schemas/Animal' }", 1)
			dir, err := generateInto(t, writeDocument(t, text))
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(dir, "things", "checks.gen.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range row.want {
				if !strings.Contains(string(data), want) {
					t.Errorf("the checks do not hold %q:\n%s", want, data)
				}
			}
			for _, not := range row.not {
				if strings.Contains(string(data), not) {
					t.Errorf("the checks hold %q", not)
				}
			}
		})
	}
}
