package main

import "strings"

// quoteVar formats a value on one line, as dotenv.Parse reads it.
func quoteVar(v string) string {
	if v != "" && !strings.ContainsAny(v, " \t\r\n\"'#\\$") && clean(v) == v {
		return v
	}
	r := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, `"`, `\"`)
	return `"` + clean(r.Replace(v)) + `"`
}
