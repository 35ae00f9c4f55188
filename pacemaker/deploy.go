package pacemaker

import (
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

// DeployArchive keeps an uploaded tar and rolls out what is built from it.
func (p *Pacemaker) DeployArchive(ctx context.Context, app cluster.App, tar io.Reader, message, user string) (cluster.Operation, error) {
	build := cluster.NewID()
	sum, err := p.Sources.Keep(ctx, app, build, tar)
	if err != nil {
		return cluster.Operation{}, err
	}
	if message == "" {
		message = "archive " + sum[:12]
	}
	args := cluster.Request{Build: build, Message: oneLine(message), Cause: "deploy"}
	op, err := p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDeploy, AppID: app.ID, User: user, Args: args.Encode(),
		Title: fmt.Sprintf("Deploy archive %s to %s", sum[:12], app.Name),
	}, store.WithBuild(build, cluster.SourceArchive, sum))
	if err != nil {
		_ = p.Sources.RemoveArchive(build) // Tidy finds what stays
	}
	return op, err
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
