package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	texttemplate "text/template"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

//go:embed letter.txt letter.html also.txt also.html
var files embed.FS

var (
	textLetter = texttemplate.Must(texttemplate.ParseFS(files, "*.txt"))
	htmlLetter = htmltemplate.Must(htmltemplate.ParseFS(files, "*.html"))
)

// letter is what the templates show.
type letter struct {
	Lang    string
	Subject string
	T       phrases
	Name    string
	Band    string
	Percent int
	Demand  side
	Supply  side
	Reasons []reason
	Cluster string
	Site    string
	Also    *also // nil: told in full
}

// also says what was told before, in place of the reasons.
type also struct {
	Posted         string // "also posted as …"
	Demand, Supply string // titles of the pair that was told
}

// side is one profile in the letter.
type side struct {
	Heading, Title, Who, Lang, Summary, ID string
}

// reason is one line: a label in the reader's language with the words of both
// texts.
type reason struct {
	Label, Demand, Supply string
}

// letterFor fills a letter in the reader's language.
func letterFor(n alert.Notification, reasons []suggestion.Explained, site string) letter {
	lang, t := phrasesFor(n.Subscription.Language)
	l := letter{
		Lang: lang, T: t, Name: n.Subscription.Name, Band: t.Bands[n.Band],
		Percent: int(n.Pair.Score*100 + 0.5), Cluster: n.Subscription.Cluster, Site: site,
		Demand: newSide(n.Demand, t, lang), Supply: newSide(n.Supply, t, lang),
	}
	l.Subject = fmt.Sprintf("%s: %s ↔ %s", l.Band, clip(l.Demand.Title, 70), clip(l.Supply.Title, 70))
	if n.AlsoPostedAs != nil {
		twin := newSide(n.AlsoPostedAs.Profile, t, lang)
		l.Also = &also{Posted: fmt.Sprintf(t.Also, clip(twin.Title, 200)), Demand: l.Demand.Title, Supply: l.Supply.Title}
		if n.AlsoPostedAs.Profile.ID.Side() == profile.Demand {
			l.Also.Demand = twin.Title
		} else {
			l.Also.Supply = twin.Title
		}
		l.Subject = fmt.Sprintf("%s: %s ↔ %s", t.Again, clip(l.Demand.Title, 70), clip(l.Supply.Title, 70))
		return l
	}
	for _, r := range reasons {
		if r.Kind == "ngram" {
			continue // a likeness of letters says nothing to a reader
		}
		l.Reasons = append(l.Reasons, reason{Label: r.Label, Demand: quotations(r.Demand), Supply: quotations(r.Supply)})
	}
	return l
}

func newSide(p *profile.Profile, t phrases, lang string) side {
	text := p.Text(lang)
	who := p.Organisation.Name
	if p.Anonymous {
		who = t.Anonymous
	}
	who = strings.Join(slices.DeleteFunc([]string{who, t.Types[p.Organisation.Type], p.Organisation.Country}, func(s string) bool { return s == "" }), ", ")
	summary := text.Summary
	if summary == "" {
		summary = text.Description
	}
	return side{Heading: t.Kinds[p.ID.Kind()], Title: text.Title, Who: who, Lang: text.Lang, Summary: clip(summary, 400), ID: string(p.ID)}
}

// quotations joins the different words that stand for a reason in one text, at
// most three.
func quotations(spans []suggestion.Span) string {
	var words []string
	for _, s := range spans {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, s.Text) }) {
			words = append(words, s.Text)
		}
		if len(words) == 3 {
			break
		}
	}
	return strings.Join(words, ", ")
}

// clip shortens s to at most n characters, at a blank if there is one nearby.
func clip(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	cut := string(runes[:n-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)*3/4 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,.;:–-") + "…"
}

func (l letter) render() (text, html string, err error) {
	name := "letter"
	if l.Also != nil {
		name = "also"
	}
	var t, h strings.Builder
	if err := textLetter.ExecuteTemplate(&t, name+".txt", l); err != nil {
		return "", "", fmt.Errorf("write text letter: %w", err)
	}
	if err := htmlLetter.ExecuteTemplate(&h, name+".html", l); err != nil {
		return "", "", fmt.Errorf("write HTML letter: %w", err)
	}
	return t.String(), h.String(), nil
}
