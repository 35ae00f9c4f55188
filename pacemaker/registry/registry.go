package registry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
)

// The library's log has each request; ours has what matters.
func init() {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.PanicLevel)
}

// Config is what a registry needs.
type Config struct {
	Dir    string // made if needed
	Secret string // signs how far an upload is, so that it goes on after a restart
	Log    *slog.Logger
}

// Registry is a cluster's registry. Make it with Open, and Close it.
type Registry struct {
	cfg    Config
	app    *handlers.App
	driver *filesystem.Driver
	images distribution.Namespace

	// sweeping excludes the removal of blobs that nothing names, which holds it
	// alone, and what makes a push rely on a blob that is there.
	sweeping sync.RWMutex
	sizes    sizes
	traffic  traffic
	damaged  atomic.Int64
}

// Open makes the registry of a directory. It works until ctx ends.
func Open(ctx context.Context, cfg Config) (r *Registry, err error) {
	defer func() { // the library reports what it can't use by panics
		if v := recover(); v != nil {
			err = fmt.Errorf("open the registry in %s: %v", cfg.Dir, v)
		}
	}()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the registry's directory: %w", err)
	}
	r = &Registry{cfg: cfg, driver: filesystem.New(filesystem.DriverParameters{RootDirectory: cfg.Dir, MaxThreads: maxThreads})}
	// Without a cache of what is there: it would name what was removed.
	r.images, err = storage.NewRegistry(ctx, r.driver, storage.EnableDelete)
	if err != nil {
		return nil, fmt.Errorf("open the registry in %s: %w", cfg.Dir, err)
	}
	r.app = handlers.NewApp(ctx, settings(cfg))
	return r, nil
}

// maxThreads bounds the library's work on files at the same time.
const maxThreads = 100

func settings(cfg Config) *configuration.Configuration {
	c := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem":  {"rootdirectory": cfg.Dir, "maxthreads": maxThreads},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}}, // Sweep does
		"redirect":    {"disable": true},
	}}
	c.HTTP.Secret, c.HTTP.RelativeURLs = cfg.Secret, true
	return c
}

// Close ends what the library has running.
func (r *Registry) Close() error { return r.app.Shutdown() }

// ServeHTTP answers a request that its caller has let in.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	// The library looks at parameters, wherever they are; access was judged by those
	// of the address alone.
	req.Form = req.URL.Query()
	switch req.Method {
	case http.MethodGet:
		r.read(w, req)
	case http.MethodHead:
		r.touching(w, req)
	default:
		r.write(w, req)
	}
}
