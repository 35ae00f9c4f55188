package build

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/agext/levenshtein"
)

// habitual are what other platforms call keys of aorta.yml, or what is said elsewhere.
var habitual = map[string]string{
	"cmd": "command", "run": "command", "start": "command", "process": "processes", "services": "processes", "workers": "processes",
	"instances": "quantity", "replicas": "quantity", "scale": "quantity", "count": "quantity", "mem": "memory", "mem_limit": "memory", "cpu": "cpus",
	"healthcheck": "health", "health_check": "health", "hosts": "domains", "hostnames": "domains", "stop_grace_period": "stop_grace", "grace": "stop_grace",
}

// elsewhere is where to say what aorta.yml does not.
var elsewhere = map[string]string{
	"env": "aorta config set KEY=VALUE", "environment": "aorta config set KEY=VALUE", "config": "aorta config set KEY=VALUE", "secrets": "aorta config set KEY=VALUE",
	"image": "aorta deploy --image REF", "name": "aorta apps create NAME",
}

// manifestKeys are all that any part of the file may have.
var manifestKeys = keysOf(reflect.TypeFor[manifestFile](), nil)

func keysOf(t reflect.Type, known []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[manifestFile]().PkgPath() {
		return known
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); name != "" {
			known = append(known, name)
		}
		known = keysOf(field.Type, known)
	}
	return known
}

// meantKey says what somebody may have meant by a key that there is not.
func meantKey(key string) string {
	typed := strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	if to := habitual[typed]; to != "" {
		return fmt.Sprintf("; did you mean %q?", to)
	}
	if how := elsewhere[typed]; how != "" {
		return "; that is said elsewhere: " + how
	}
	allowed := 1
	if len(typed) > 4 {
		allowed = 2
	}
	for _, known := range manifestKeys {
		if levenshtein.Distance(typed, known, nil) <= allowed {
			return fmt.Sprintf("; did you mean %q?", known)
		}
	}
	return ""
}
