package build

import (
	"io"
	"io/fs"
	"path"
	"strings"

	"aorta/heart/docker/dockerfile"
	"aorta/internal/dockerignore"
	"aorta/pacemaker/cluster"
)

// maxDockerfile is the size limit of a Dockerfile, in bytes.
const maxDockerfile = 1 << 20

// recipe turns a checked source into what the engine builds. Names, labels and
// limits are the caller's.
func (c checked) recipe(spool io.ReaderAt, b BuildKey, kind cluster.SourceKind) (dockerfile.Recipe, error) {
	r := dockerfile.Recipe{Target: b.Target, Args: b.Args, Content: spool}
	place, file, err := c.locate(b)
	if err != nil {
		return r, err
	}
	if r.Text, err = read(spool, file); err != nil {
		return r, err
	}
	if r.Files, err = c.context(spool, place, kind); err != nil {
		return r, err
	}
	r.Dockerfile, _ = place.Inside(place.Dockerfile)
	return r, nil
}

// locate finds the Dockerfile and the context.
func (c checked) locate(b BuildKey) (dockerignore.Place, dockerfile.File, error) {
	place := dockerignore.Place{Dockerfile: b.Dockerfile, Context: b.Context}
	if place.Context == "" {
		place.Context = "."
	}
	if place.Context != "." && !c.hasFolder(place.Context) {
		return place, dockerfile.File{}, b.fault("context", "there is no folder %s in the source", quote(place.Context))
	}
	if b.Dockerfile != "" {
		file, err := c.followed(b.Dockerfile)
		if err != nil {
			return place, file, b.fault("dockerfile", "%v", err)
		}
		return place, file, nil
	}
	// As docker build, either spelling.
	var why error
	for _, name := range []string{"Dockerfile", "dockerfile"} {
		place.Dockerfile = path.Join(place.Context, name)
		file, err := c.followed(place.Dockerfile)
		if err == nil {
			return place, file, nil
		}
		if why == nil {
			why = err
		}
	}
	if c.find(path.Join(place.Context, "Dockerfile")) != nil {
		return place, dockerfile.File{}, cluster.Invalid("", "%v", why)
	}
	where := "the root of the source"
	if place.Context != "." {
		where = place.Context
	}
	return place, dockerfile.File{}, cluster.Invalid("", "there is no Dockerfile in %s; add one (FROM …, COPY . ., CMD …), say where it is in aorta.yml (build: {dockerfile: …}), or deploy an image with aorta deploy --image", where)
}

// hasFolder tells whether there is a folder of this name, or something in it.
func (c checked) hasFolder(name string) bool {
	for _, e := range c.entries {
		if e.Path == name && e.Mode.IsDir() || strings.HasPrefix(e.Path, name+"/") {
			return true
		}
	}
	return false
}

// followed returns the Dockerfile of a name, through links inside of the source.
func (c checked) followed(name string) (dockerfile.File, error) {
	const most = 8 // links, one behind the other
	at := name
	for range most {
		e := c.find(at)
		switch {
		case e == nil && at != name:
			return dockerfile.File{}, cluster.Invalid("", "%s is a link to %s, which is not in the source", quote(name), quote(at))
		case e == nil:
			return dockerfile.File{}, cluster.Invalid("", "there is no file %s in the source", quote(name))
		case e.Same != "":
			at = e.Same
		case e.Mode&fs.ModeSymlink != 0 && !path.IsAbs(e.Link):
			at = path.Join(path.Dir(at), e.Link)
		case !e.Mode.IsRegular():
			return dockerfile.File{}, cluster.Invalid("", "%s is no file of the source", quote(name))
		case e.Size > maxDockerfile:
			return dockerfile.File{}, cluster.Invalid("", "%s is %d bytes long; the limit is %d", quote(name), e.Size, maxDockerfile)
		default:
			return e.File, nil
		}
	}
	return dockerfile.File{}, cluster.Invalid("", "%s is a link to a link, and so on; name the file itself", quote(name))
}
