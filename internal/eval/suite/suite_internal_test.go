package suite

import "testing"

func TestBareTextsHaveNoNamesAndNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, text, want string }{
		{"da", "Makedonere afholder afstemning om navnet", "Makedonere afholder afstemning om navnet"},
		{"da", `Vælgerne bor i "Republikken Nordmakedonien" nu`, "Vælgerne bor i nu"},
		{"en", "In 1998 she paid 3,000 euros to B2B-shops", "In she paid euros to"},
		{"en", "NATO met in Oslo", "met in"},               // a capital inside, first or not
		{"en", "its iPhone and mRNA rose", "its and rose"}, //
		{"sv", "Åke och ÅÄÖ mötte Örjan.", "Åke och mötte"},
		{"fi", "Äiti (Émilie) lähti", "Äiti lähti"},
		{"en", "- he left —", "- he left —"}, // no word at all is no name
		{"en", "“Anna” left", "“Anna” left"},
		{"de", "Die Wähler in Berlin wählen 2018 die EU", "Die Wähler in Berlin wählen die EU"},
		{"en", "", ""},
		{"en", "2018", ""},
	} {
		if got := bare(tt.text, tt.lang); got != tt.want {
			t.Errorf("%s %q became %q, want %q", tt.lang, tt.text, got, tt.want)
		}
	}
}

func TestEveryCollectionHasANameAndGoalsThatCanBeReached(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range collections {
		if c.name == "" || seen[c.name] || len(c.targets) == 0 {
			t.Errorf("%q: named twice, or without a metric", c.name)
		}
		seen[c.name] = true
		for _, g := range c.targets {
			if g.metric == "" || g.must < 0 || g.aim < g.must || g.aim > 1 || (g.must == 0) != (g.aim == 0) {
				t.Errorf("%s: %+v", c.name, g)
			}
			if name := c.name + " " + g.metric; (g.must == 0) != (name == "medline nDCG@10" || name == "erc-organisations hit@1") {
				t.Errorf("%s must reach %v: those two have no goal, all others have", name, g.must)
			}
		}
	}
}
