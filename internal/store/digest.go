package store

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"kobling/internal/alert"
	"kobling/internal/profile"
)

// contentDigest identifies what a person judges when they accept or decline p:
// what is sought or given. Renewing, pausing or showing a profile to more people
// does not change it, so a declined pair does not come back by that.
func contentDigest(p *profile.Profile) ([]byte, error) {
	c := *p
	c.Revision, c.Status, c.Cluster, c.Visibility, c.Anonymous = 0, "", "", "", false
	c.ValidFrom, c.ValidUntil = time.Time{}, time.Time{}
	body, err := json.Marshal(&c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return sum[:], nil
}

// dedupKey identifies what is told at most once. It holds no revision: editing
// a profile ten times tells nothing ten times.
func dedupKey(n telling) []byte {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		n.subscription.String(), string(n.channel), string(n.demand), string(n.supply), string(alert.KindMatch), string(n.band),
	}, "|")))
	return sum[:]
}
