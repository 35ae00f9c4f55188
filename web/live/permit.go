package live

import (
	"context"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
)

// permit refuses who may not see what a topic is of.
func permit(ctx context.Context, what string, on access.Subject) error {
	if user := auth.User(ctx); !access.Allowed(user, access.Viewer, on) {
		return access.Refusal(what, user, access.Viewer)
	}
	return nil
}

// permitShared refuses who may not see what a topic shows that is computed for
// all its readers. An app that does not exist is nobody's: its topic says so.
func (s *Streams) permitShared(ctx context.Context, topic string) error {
	name, ofApp := strings.CutPrefix(topic, topicApp)
	node, ofNode := strings.CutPrefix(topic, topicNode)
	switch {
	case topic == topicOverview:
		return permit(ctx, "following the overview", access.Subject{Kind: access.OnCluster})
	case ofNode:
		return permit(ctx, "following node "+node, access.Subject{Kind: access.OnCluster})
	case !ofApp:
		return permit(ctx, "following all "+topic, access.Subject{Kind: access.OnWorkspace})
	}
	app, err := s.store.App(ctx, name)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return permit(ctx, "following app "+name, access.Subject{Kind: access.OnApp, App: app})
}
