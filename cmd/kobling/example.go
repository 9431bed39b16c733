package main

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/demo"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// showExample shows one pair of the demonstration from end to end: a Norwegian
// need, the Finnish test place that answers it, why, for a reader of either
// language, and the mail that the Finnish advisor got.
func showExample(ctx context.Context, w io.Writer, client *app.Client, data *demo.Data, items []suggestion.Suggestion, mailDir string) error {
	pair := example(data, items)
	if pair == nil {
		return nil
	}
	say(w, "For example: %s ↔ %s\n", pair.DemandTitle, pair.SupplyTitle)
	for _, lang := range []string{"nb", "fi"} {
		x, err := client.Explain(ctx, api.ExplainQuery{DemandID: pair.DemandID, SupplyID: pair.SupplyID, Lang: lang})
		if err != nil {
			return err
		}
		say(w, "  Why, in %s: %s", lang, strings.ReplaceAll(reasonLines(x.Reasons, 3), "\n", "; "))
	}
	advisor := slices.IndexFunc(data.Subscriptions, func(s alert.Subscription) bool { return s.Channel == alert.Email && s.Language == "fi" })
	if advisor < 0 {
		return nil
	}
	path, letter, err := mailOf(mailDir, pair, data.Subscriptions[advisor].Address)
	if err != nil || letter == "" {
		return err
	}
	say(w, "\nThe mail about it (%s):\n", path)
	for line := range strings.Lines(letter) {
		fmt.Fprint(w, "  | "+line)
	}
	say(w, "")
	return nil
}

// example returns the strongest pair of a Norwegian demand with a Finnish test
// place.
func example(data *demo.Data, items []suggestion.Suggestion) *suggestion.Suggestion {
	country := make(map[profile.ID]string, len(data.Profiles))
	for i := range data.Profiles {
		country[data.Profiles[i].ID] = data.Profiles[i].Organisation.Country
	}
	for i := range items {
		s := &items[i]
		if country[s.DemandID] == "NO" && country[s.SupplyID] == "FI" && s.SupplyID.Kind() == profile.TestPlace {
			return s
		}
	}
	return nil
}

// mailOf returns the plain text of the mail in dir that tells the person at
// address to of a pair; "" if there is none.
func mailOf(dir string, pair *suggestion.Suggestion, to string) (path, letter string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		return "", "", err
	}
	for _, path := range files {
		header, body, err := readMail(path)
		if err != nil {
			return "", "", fmt.Errorf("read %s: %w", path, err)
		}
		if strings.Contains(header.Get("To"), to) && strings.Contains(body, string(pair.DemandID)) && strings.Contains(body, string(pair.SupplyID)) {
			subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			return path, "To: " + header.Get("To") + "\nSubject: " + subject + "\n\n" + strings.TrimSpace(body) + "\n", err
		}
	}
	return "", "", nil
}

// readMail returns the header and the plain text of a multipart mail.
func readMail(path string) (mail.Header, string, error) {
	f, err := os.Open(path) //nolint:gosec // of the demonstration's own folder
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }() // only read
	m, err := mail.ReadMessage(f)
	if err != nil {
		return nil, "", err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return nil, "", err
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart() // the plain one comes first
	if err != nil {
		return nil, "", err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	return m.Header, strings.ReplaceAll(string(text), "\r\n", "\n"), err
}
