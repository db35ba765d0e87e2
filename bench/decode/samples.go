package main

import (
	"strings"

	"example.com/gatehouse/bench/bodies"
)

// sample is bodies that are measured as one: they take turns.
type sample struct {
	name   string
	bodies []string
	// refused says that the schema or JSON itself refuses the body, for one reason.
	refused bool
	// passedBy names the implementations that are known to accept it all the same, and why. Their time is not that of
	// the same work and is not shown.
	passedBy map[string]string
}

// subject is a schema with the ways to decode it and the bodies to decode.
type subject struct {
	name            string
	implementations []implementation
	samples         []sample
	// schema is what ajv compiles.
	schema []byte
	// whole is the accepted sample that the refused ones are made from, and mix the one that stands for all.
	whole, mix string
}

func accepted(name string, bodies ...string) sample { return sample{name: name, bodies: bodies} }

const wholeItem = `{"name":"Oak chair","price":129.9,"description":"A chair of oiled oak, with arms.","category":"other","tags":["wood","indoor"],` +
	`"dimensions":{"width":45,"height":90.5,"depth":50},"available_from":"2027-01-15","supplier_email":"sales@example.com"}`

// item returns wholeItem, or refused bodies of it, with one thing replaced.
func item(name, old, replacement string, passedBy map[string]string) sample {
	return replaced(wholeItem, name, old, replacement, passedBy)
}

func replaced(body, name, old, replacement string, passedBy map[string]string) sample {
	if strings.Count(body, old) != 1 {
		panic("the body does not hold one " + old)
	}
	return sample{name: name, bodies: []string{strings.Replace(body, old, replacement, 1)}, refused: true, passedBy: passedBy}
}

func itemSamples() []sample {
	return []sample{
		accepted("two members", `{"name":"Oak chair","price":129.9}`),
		accepted("all members", wholeItem),
		accepted("escapes and ä", strings.Replace(wholeItem, "A chair of oiled oak", `A \"chair\"\nof ge\u00f6ltem Eichenholz, für Größen ab 1,60 m`, 1)),
		accepted("1,000 characters", strings.Replace(wholeItem, "A chair of oiled oak, with arms.", strings.Repeat("chair ", 166)+"ends", 1)),
		accepted("64 items", bodies.Items(64)...),
		item("a name too long", "Oak chair", strings.Repeat("a", 101), nil),
		item("a name with a slash", "Oak chair", "Oak/chair", nil),
		item("no price", `"price":129.9,`, "", nil),
		item("a price of text", "129.9", `"129.9"`, nil),
		item("a price too high", "129.9", "1000000.5", nil),
		item("an unknown category", `"other"`, `"furniture"`, nil),
		item("a tag twice", `"indoor"`, `"wood"`, nil),
		item("eleven tags", `"wood","indoor"`, `"0","1","2","3","4","5","6","7","8","9","10"`, nil),
		item("a width of zero", `"width":45`, `"width":0`, nil),
		item("a day that no month has", "2027-01-15", "2027-02-30", nil),
		item("an address without @", "sales@", "sales.", nil),
		item("an unknown member", `"name"`, `"role":"admin","name"`, nil),
		item("null for a text", `"A chair of oiled oak, with arms."`, "null", map[string]string{
			byhandName: "encoding/json leaves a pointer nil",
		}),
		item("a member twice", `"name"`, `"name":"Ash chair","name"`, map[string]string{
			byhandName: "encoding/json keeps the last", ogenName: "jx keeps the last", kin30Name: "encoding/json keeps the last",
			kin31Name: "encoding/json keeps the last", ajvName: "JSON.parse keeps the last",
		}),
		item("a member in another case", `"description"`, `"Description"`, map[string]string{byhandName: "encoding/json takes it for the declared one"}),
		item("JSON that ends early", `"sales@example.com"}`, `"sales@example.com"`, nil),
	}
}

const wholeOrder = `{"customer":"Ada Byron","currency":"USD","payment":{"kind":"card","number":"4000111122223333","holder":"A. Byron"},` +
	`"labels":{"shop":"web","campaign":"spring"},"lines":[{"sku":"SKU-00017","quantity":2},{"sku":"SKU-31415","quantity":1,"note":"Gift: wrap it"}]}`

func orderSamples() []sample {
	refused := func(name, old, replacement string) sample { return replaced(wholeOrder, name, old, replacement, nil) }
	return []sample{
		accepted("required members", `{"customer":"Ada","payment":{"kind":"transfer","iban":"DE00000000000000000001"},"lines":[{"sku":"SKU-00017","quantity":2}]}`),
		accepted("all members", wholeOrder),
		accepted("64 orders", bodies.Orders(64)...),
		refused("a label too long", `"web"`, `"`+strings.Repeat("a", 51)+`"`),
		refused("a quantity of zero", `"quantity":1`, `"quantity":0`),
		refused("a quantity of 1.5", `"quantity":1`, `"quantity":1.5`),
		refused("no lines", `"lines":[{"sku":"SKU-00017","quantity":2},{"sku":"SKU-31415","quantity":1,"note":"Gift: wrap it"}]`, `"lines":[]`),
		refused("an unknown kind of payment", `"card"`, `"cash"`),
		refused("a member of the other kind", `"holder"`, `"iban"`),
		refused("a card number of letters", `4000111122223333`, `4000abcd22223333`),
	}
}
