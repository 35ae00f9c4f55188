package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// shape is a struct of web/wire and its name in TypeScript.
type shape struct {
	name string
	of   reflect.Type
}

const head = `// Written by scripts/tstypes from the shapes in web/wire: go generate ./web/wire

export interface Page<T> {
  items: T[];
  next?: string;
  total?: number; // on all pages, if it was asked for and there are any
}
`

// Generate is the whole file.
func Generate() string {
	w := &writer{names: map[reflect.Type]string{}}
	for _, s := range shapes {
		w.names[s.of] = s.name
		w.queue = append(w.queue, s)
	}
	w.out.WriteString(head)
	for i := 0; i < len(w.queue); i++ { // it grows by what the shapes hold
		w.shape(w.queue[i])
	}
	return w.out.String()
}

type writer struct {
	out   strings.Builder
	names map[reflect.Type]string
	queue []shape
}

// shape writes one interface. What is embedded is extended.
func (w *writer) shape(s shape) {
	var extends []string
	var fields strings.Builder
	for i := range s.of.NumField() {
		f := s.of.Field(i)
		if f.Anonymous {
			extends = append(extends, w.typeOf(f.Type, f.Tag))
			continue
		}
		fields.WriteString(w.field(f))
	}
	fmt.Fprintf(&w.out, "\nexport interface %s ", s.name)
	if len(extends) > 0 {
		fmt.Fprintf(&w.out, "extends %s ", strings.Join(extends, ", "))
	}
	fmt.Fprintf(&w.out, "{\n%s}\n", fields.String())
}

// field writes one line. What JSON leaves out is optional; what it has no value
// for is null.
func (w *writer) field(f reflect.StructField) string {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	optional := ""
	if strings.Contains(rest, "omitempty") {
		optional = "?"
	}
	text := w.typeOf(f.Type, f.Tag)
	if optional == "" && (f.Type.Kind() == reflect.Pointer || f.Tag.Get("nullable") == "true") {
		text += " | null"
	}
	doc := f.Tag.Get("doc")
	if doc != "" {
		doc = " // " + doc
	}
	return fmt.Sprintf("  %s%s: %s;%s\n", name, optional, text, doc)
}

// typeOf is a Go type in TypeScript. A list in a list's place is written in
// brackets where it needs them.
func (w *writer) typeOf(t reflect.Type, tag reflect.StructTag) string {
	if t == reflect.TypeFor[time.Time]() {
		return "string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.typeOf(t.Elem(), tag)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Pointer {
			return "(" + w.typeOf(t.Elem(), "") + " | null)[]"
		}
		return w.typeOf(t.Elem(), "") + "[]"
	case reflect.Map:
		return "Record<string, " + w.typeOf(t.Elem(), "") + ">"
	case reflect.Struct:
		return w.named(t)
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		if enum := tag.Get("enum"); enum != "" {
			return `"` + strings.ReplaceAll(enum, ",", `" | "`) + `"`
		}
		return "string"
	case reflect.Int, reflect.Int64, reflect.Uint32, reflect.Uint64, reflect.Float64:
		return "number"
	}
	panic(fmt.Sprintf("%s has no counterpart in TypeScript: teach typeOf", t)) // a shape that is new
}

// named is the name of a struct, which is written after those before it.
func (w *writer) named(t reflect.Type) string {
	if w.names[t] == "" {
		w.names[t] = t.Name()
		w.queue = append(w.queue, shape{t.Name(), t})
	}
	return w.names[t]
}
