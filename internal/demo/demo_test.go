package demo_test

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/demo"
	"kobling/internal/profile"
)

func load(tb testing.TB) *demo.Data {
	tb.Helper()
	d, err := demo.Load()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// find returns a profile that must exist.
func find(tb testing.TB, d *demo.Data, id profile.ID) *profile.Profile {
	tb.Helper()
	p, ok := d.Profile(id)
	if !ok {
		tb.Fatalf("no profile %s", id)
	}
	return p
}

// words counts the words of a text.
func words(t profile.Text) int {
	return len(strings.Fields(strings.Join([]string{t.Title, t.Summary, t.Description, t.Requirements, t.PartnerRole}, " ")))
}

func TestProfilesAreValidAndReadable(t *testing.T) {
	t.Parallel()
	d := load(t)
	seen := make(map[profile.ID]bool)
	for i := range d.Profiles {
		p := &d.Profiles[i]
		if seen[p.ID] {
			t.Errorf("%s stands twice", p.ID)
		}
		seen[p.ID] = true
		for _, f := range p.Validate() {
			t.Errorf("%s: %s %s: %s", p.ID, f.Path, f.Code, f.Message)
		}
		if n := words(p.Texts[0]); n < 60 || n > 140 {
			t.Errorf("%s: %d words, want 60 to 140", p.ID, n)
		}
		if len(p.Cooperation) == 0 || p.TRL == nil || p.Place.NUTS == "" || p.Visibility == "" {
			t.Errorf("%s: cooperation, TRL, place and visibility must be said", p.ID)
		}
		if p.Status != "" || p.Revision != 0 || !p.ValidFrom.IsZero() || !p.ValidUntil.IsZero() {
			t.Errorf("%s: says what intake says", p.ID)
		}
		if p.Place.Country != p.Organisation.Country {
			t.Errorf("%s: is in %s, its organisation in %s", p.ID, p.Place.Country, p.Organisation.Country)
		}
		if p.Place.Country != "NL" && len(p.Organisation.Identifiers) == 0 { // no rule for Dutch numbers
			t.Errorf("%s: the organisation has no identifier", p.ID)
		}
	}
}

func TestProfilesCoverTheField(t *testing.T) {
	t.Parallel()
	d := load(t)
	count := make(map[string]int)
	for i := range d.Profiles {
		p := &d.Profiles[i]
		count["all"]++
		count["kind "+string(p.ID.Kind())]++
		count["visibility "+string(p.Visibility)]++
		count["language of "+string(p.ID.Side())+" "+p.Texts[0].Lang]++
		count["sector of "+string(p.ID.Side())+" "+d.Sector(p)]++
		count["cluster "+p.Cluster]++
		if len(p.Texts) > 1 {
			count["bilingual"]++
		}
		if p.Anonymous {
			count["anonymous"]++
		}
		for _, c := range p.Cooperation {
			count["cooperation "+string(c)]++
		}
	}
	atLeast := map[string]int{"all": 60, "bilingual": 6, "anonymous": 1}
	for _, k := range profile.Kinds {
		atLeast["kind "+string(k)] = 6
	}
	for _, v := range profile.Visibilities {
		atLeast["visibility "+string(v)] = 1
	}
	for _, c := range profile.Cooperations {
		atLeast["cooperation "+string(c)] = 1
	}
	for _, c := range d.Clusters {
		atLeast["cluster "+c.ID] = 7
	}
	for _, side := range []profile.Side{profile.Demand, profile.Supply} {
		for _, lang := range []string{"da", "nb", "sv", "fi", "nl", "en"} {
			atLeast["language of "+string(side)+" "+lang] = 2
		}
		for _, s := range demo.Sectors {
			atLeast["sector of "+string(side)+" "+s] = 3
		}
	}
	for what, n := range atLeast {
		if count[what] < n {
			t.Errorf("%s: %d, want at least %d", what, count[what], n)
		}
		delete(count, what)
	}
	for what := range count { // an unknown sector, a seventh language as the original, …
		t.Errorf("%s was not expected", what)
	}
}

func TestOrganisationsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	d := load(t)
	byOrg := make(map[string]profile.Organisation)
	byNumber := make(map[profile.Identifier]string)
	for i := range d.Profiles {
		p := &d.Profiles[i]
		org := p.ID.Org()
		if old, ok := byOrg[org]; ok {
			if diff := cmp.Diff(old, p.Organisation); diff != "" {
				t.Errorf("%s: the organisation differs between profiles:\n%s", p.ID, diff)
			}
		}
		byOrg[org] = p.Organisation
		for _, id := range p.Organisation.Identifiers {
			if other, ok := byNumber[id]; ok && other != org {
				t.Errorf("%s and %s have the same %s", org, other, id.Scheme)
			}
			byNumber[id] = org
		}
	}
}

func TestIntendedPairsCanMeet(t *testing.T) {
	t.Parallel()
	d := load(t)
	pairs, foreign := 0, 0
	for _, id := range d.Demands() {
		demand := find(t, d, id)
		for _, sid := range d.Intended[id] {
			supply := find(t, d, sid)
			pairs++
			if !slices.ContainsFunc(demand.Texts, func(a profile.Text) bool {
				return slices.ContainsFunc(supply.Texts, func(b profile.Text) bool { return a.Lang == b.Lang })
			}) {
				foreign++
			}
			canMeet(t, d, demand, supply)
		}
	}
	if len(d.Intended) < 24 || foreign*10 < pairs*9 {
		t.Errorf("%d demands, %d pairs, %d without a common language; want at least 24 demands and nine in ten", len(d.Intended), pairs, foreign)
	}
	for i := range d.Profiles { // every published demand has its answer
		p := &d.Profiles[i]
		if p.ID.Side() == profile.Demand && len(d.Intended[p.ID]) == 0 && p.Visibility != profile.VisiblePrivate {
			t.Errorf("%s has no intended supply", p.ID)
		}
	}
}

// canMeet checks what the gate and the hard filters ask of an intended pair.
func canMeet(t *testing.T, d *demo.Data, demand, supply *profile.Profile) {
	t.Helper()
	pair := string(demand.ID + " and " + supply.ID)
	if demand.ID.Side() != profile.Demand || supply.ID.Side() != profile.Supply {
		t.Errorf("%s: wrong sides", pair)
	}
	if !visible(d, demand, supply.Cluster) || !visible(d, supply, demand.Cluster) {
		t.Errorf("%s: the visibility forbids it", pair)
	}
	if !wants(demand, supply) || !wants(supply, demand) {
		t.Errorf("%s: an organisation type is not wanted", pair)
	}
	if len(demand.TargetCountries) > 0 && !slices.Contains(demand.TargetCountries, supply.Place.Country) {
		t.Errorf("%s: %s is no target country", pair, supply.Place.Country)
	}
	if !slices.ContainsFunc(demand.Cooperation, func(c profile.Cooperation) bool { return slices.Contains(supply.Cooperation, c) }) {
		t.Errorf("%s: no cooperation type in common", pair)
	}
	if demand.TRL.Min > supply.TRL.Max || supply.TRL.Min > demand.TRL.Max {
		t.Errorf("%s: the TRL ranges do not meet", pair)
	}
	if demand.ID.Org() == supply.ID.Org() {
		t.Errorf("%s: one organisation", pair)
	}
}

// visible reports whether p may be shown to a cluster.
func visible(d *demo.Data, p *profile.Profile, cluster string) bool {
	switch p.Visibility {
	case profile.VisiblePublic:
		return true
	case profile.VisibleNetwork:
		return cluster == p.Cluster || slices.ContainsFunc(d.Networks, func(n demo.Network) bool {
			return slices.Contains(n.Clusters, p.Cluster) && slices.Contains(n.Clusters, cluster)
		})
	case profile.VisibleCluster:
		return cluster == p.Cluster
	case profile.VisiblePrivate:
	}
	return false
}

// wants reports whether p's wish for organisation types allows q.
func wants(p, q *profile.Profile) bool {
	return len(p.SeeksOrganisations) == 0 || slices.Contains(p.SeeksOrganisations, q.Organisation.Type)
}

func TestNearMissesAreNotIntended(t *testing.T) {
	t.Parallel()
	d := load(t)
	if len(d.NearMisses) < 20 {
		t.Errorf("%d near-misses, want at least 20", len(d.NearMisses))
	}
	for _, pair := range d.NearMisses {
		demand, supply := find(t, d, pair[0]), find(t, d, pair[1])
		if demand.ID.Side() != profile.Demand || supply.ID.Side() != profile.Supply {
			t.Errorf("%v: wrong sides", pair)
		}
		if slices.Contains(d.Intended[demand.ID], supply.ID) {
			t.Errorf("%v is intended as well", pair)
		}
		if !wants(demand, supply) || !wants(supply, demand) {
			t.Errorf("%v: a hard filter forbids the pair, the texts are not tried", pair)
		}
	}
}

func TestClustersNetworksAndAdvisors(t *testing.T) {
	t.Parallel()
	d := load(t)
	var ids []string
	for _, c := range d.Clusters {
		ids = append(ids, c.ID)
		var sectors []string
		for _, theme := range c.Themes {
			sectors = append(sectors, theme.Sector)
		}
		if !profile.ValidToken(c.ID) || !profile.ValidCountry(c.Country) || !slices.Equal(sectors, demo.Sectors) {
			t.Errorf("cluster %s: bad id or country, or not one theme for each sector", c.ID)
		}
	}
	for _, n := range d.Networks {
		for _, c := range n.Clusters {
			if !slices.Contains(ids, c) {
				t.Errorf("network %s: no cluster %s", n.ID, c)
			}
		}
	}
	told := make(map[string]bool)
	for _, s := range d.Subscriptions {
		told[s.Cluster] = true
		addr, err := mail.ParseAddress(s.Address)
		if err != nil || !strings.HasSuffix(addr.Address, ".example") { // reserved: nobody gets mail by mistake
			t.Errorf("%s: not an address that belongs to nobody", s.Address)
		}
		if !slices.Contains(profile.Languages, s.Language) || s.MinBand.Rank() == 0 || !s.Active || utf8.RuneCountInString(s.Name) == 0 {
			t.Errorf("%s: language, band, name or state is wrong", s.Address)
		}
	}
	for _, id := range ids {
		if !told[id] {
			t.Errorf("cluster %s has no advisor", id)
		}
	}
	if diff := cmp.Diff(d.Subscriptions, load(t).Subscriptions); diff != "" {
		t.Errorf("two loads differ:\n%s", diff)
	}
}
