// Package demo is the world that the demonstration publishes: six clusters, a
// network of four of them, their advisors, and 62 profiles in eight languages
// with the pairs that they were written to form. Everything in it is invented:
// the organisations do not exist, and their identifiers have right check digits
// in ranges that no register has given out.
//
// The data are plain JSON, as a producer would send it, one file of profiles a
// cluster. They carry no dates, status or revision, so that they never age:
// intake says when they begin and how long they last.
package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/profile"
)

//go:embed data/*.json
var files embed.FS

// Data is the demonstration's world.
type Data struct {
	Clusters      []Cluster
	Networks      []Network
	Subscriptions []alert.Subscription // by e-mail; CreatedAt is left to the ledger
	Profiles      []profile.Profile    // cluster by cluster, demands before supplies within each

	// Intended names for each demand the supplies that answer it, each of which
	// should rank above all others. The demand of the private profile is not in
	// it: it may be shown to nobody.
	Intended map[profile.ID][]profile.ID
	// NearMisses are pairs of a demand and a supply that share their setting or
	// everyday words, but not what they are about: none may be strong.
	NearMisses [][2]profile.ID
}

// Cluster is a tenant: it owns profiles, advisors and a list of themes.
type Cluster struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Country string  `json:"country"` // ISO 3166-1 alpha-2
	Themes  []Theme `json:"themes"`  // one for each of Sectors
}

// Theme is one heading of a cluster's own list, in its own language.
type Theme struct {
	Name   string `json:"name"` // as in a profile's themes
	Sector string `json:"sector"`
}

// Network is a set of clusters that show each other the profiles marked
// [profile.VisibleNetwork].
type Network struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Clusters []string `json:"clusters"`
}

// Sectors are the six sectors of the field, to which clusters map their themes:
// biotechnology; pharma and clinical research; medical devices and diagnostics;
// health IT, data and AI; assistive aids and rehabilitation; welfare technology
// and care services.
var Sectors = []string{"biotech", "pharma", "devices", "health-it", "assistive", "welfare"}

// namespace is where the ids of the demonstration's subscriptions come from:
// starting again finds the same ones.
var namespace = uuid.MustParse("8d6a7f0e-52c1-4c0b-9a53-6f0b5a1d7c42")

// Load reads the embedded data. The caller owns the result.
func Load() (*Data, error) {
	var world struct {
		Clusters      []Cluster            `json:"clusters"`
		Networks      []Network            `json:"networks"`
		Subscriptions []alert.Subscription `json:"subscriptions"`
	}
	var pairs struct {
		Intended   map[profile.ID][]profile.ID `json:"intended"`
		NearMisses [][2]profile.ID             `json:"near_misses"`
	}
	if err := errors.Join(read("clusters", &world), read("intended", &pairs)); err != nil {
		return nil, err
	}
	for i := range world.Subscriptions {
		s := &world.Subscriptions[i]
		s.ID = uuid.NewSHA1(namespace, []byte(s.Cluster+" "+s.Address))
	}
	d := &Data{
		Clusters: world.Clusters, Networks: world.Networks, Subscriptions: world.Subscriptions,
		Intended: pairs.Intended, NearMisses: pairs.NearMisses,
	}
	for _, c := range d.Clusters {
		var profiles []profile.Profile
		if err := read(c.ID, &profiles); err != nil {
			return nil, err
		}
		d.Profiles = append(d.Profiles, profiles...)
	}
	return d, nil
}

// Demands returns the demands of [Data.Intended] in order.
func (d *Data) Demands() []profile.ID { return slices.Sorted(maps.Keys(d.Intended)) }

// Profile returns the profile called id.
func (d *Data) Profile(id profile.ID) (*profile.Profile, bool) {
	for i := range d.Profiles {
		if d.Profiles[i].ID == id {
			return &d.Profiles[i], true
		}
	}
	return nil, false
}

// Sector returns the sector of p's first theme in its cluster, or "".
func (d *Data) Sector(p *profile.Profile) string {
	for _, c := range d.Clusters {
		for _, t := range c.Themes {
			if c.ID == p.Cluster && len(p.Themes) > 0 && p.Themes[0] == t.Name {
				return t.Sector
			}
		}
	}
	return ""
}

// read decodes the file called name into v, which must be an empty pointer's
// target; a field that v does not know is an error.
func read(name string, v any) error {
	body, err := files.ReadFile("data/" + name + ".json")
	if err != nil {
		return fmt.Errorf("read demonstration data: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("read demonstration data %s.json: %w", name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read demonstration data %s.json: more than one value", name)
	}
	return nil
}
