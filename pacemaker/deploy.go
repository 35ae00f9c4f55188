package pacemaker

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// DeployImage rolls out an image that exists.
func (p *Pacemaker) DeployImage(ctx context.Context, app cluster.App, ref, message, user string) (cluster.Operation, error) {
	if err := cluster.ValidateImageRef("image", ref); err != nil {
		return cluster.Operation{}, err
	}
	if message == "" {
		message = "image " + ref
	}
	build := cluster.NewID()
	args := cluster.Request{Build: build, Message: oneLine(message), Cause: "deploy"}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDeploy, AppID: app.ID, User: user, Args: args.Encode(),
		Title: fmt.Sprintf("Deploy image %s to %s", ref, app.Name),
	}, store.WithBuild(build, cluster.SourceImage, ref))
}

// Note is what is said of a deploy.
type Note struct {
	Message string
	Author  string // of what is deployed, by name
	User    string // who deploys it
}

// DeployArchive keeps an uploaded tar and rolls out what is built from it.
func (p *Pacemaker) DeployArchive(ctx context.Context, app cluster.App, tar io.Reader, note Note) (cluster.Operation, error) {
	build := cluster.NewID()
	sum, err := p.Sources.Keep(ctx, app, build, tar)
	if err != nil {
		return cluster.Operation{}, err
	}
	name := "archive " + sum[:12]
	args := cluster.Request{Build: build, Message: cmp.Or(oneLine(note.Message), name), Author: oneLine(note.Author), Cause: "deploy"}
	op, err := p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDeploy, AppID: app.ID, User: note.User, Args: args.Encode(),
		Title: deployTitle(app, note.Message, name),
	}, store.WithBuild(build, cluster.SourceArchive, sum))
	if err != nil {
		_ = p.Sources.RemoveArchive(build) // Tidy finds what stays
	}
	return op, err
}

// titleLength is how much of a message is in a job's title, in characters.
const titleLength = 60

// deployTitle names a deploy by its message, else by what is deployed.
func deployTitle(app cluster.App, message, what string) string {
	said := []rune(oneLine(message))
	if len(said) > titleLength {
		said = append(said[:titleLength-1], '…')
	}
	if len(said) > 0 {
		what = "“" + string(said) + "”"
	}
	return fmt.Sprintf("Deploy %s to %s", what, app.Name)
}

// oneLine makes one short line of whatever a person wrote.
func oneLine(message string) string {
	line, _, _ := strings.Cut(strings.ToValidUTF8(message, "�"), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(line))
	for utf8.RuneCountInString(line) > 200 {
		_, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
	}
	return line
}
