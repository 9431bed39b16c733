package eval

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Document is a text of a collection, or a query. What it says besides its text
// is for measuring the whole predicate; ranking is by text alone.
type Document struct {
	ID      string                   `json:"_id"`
	Title   string                   `json:"title"`
	Text    string                   `json:"text"`
	Lang    string                   `json:"lang"`
	Kind    profile.Kind             `json:"kind"`
	Country string                   `json:"country"`
	OrgType profile.OrganisationType `json:"org_type"`

	// Group is whose document it is, an organisation's or an expert's, where
	// that is what a query looks for.
	Group string `json:"-"`
}

// maxLine is the longest line that is read, in bytes.
const maxLine = 16 << 20

// ReadDocuments reads JSON Lines (_id, title, text, and where given lang, kind,
// country, org_type), or two columns (id, text) from a name that ends in .tsv;
// either may be .gz. Documents that state no language are of lang.
func ReadDocuments(name, lang string) ([]Document, error) { return ReadGrouped(name, lang, "") }

// ReadGrouped reads JSON Lines as [ReadDocuments] does; each document belongs to
// the group that its field names.
func ReadGrouped(name, lang, field string) ([]Document, error) {
	var docs []Document
	tsv := filepath.Ext(strings.TrimSuffix(name, ".gz")) == ".tsv"
	err := readLines(name, func(line string) error {
		d := Document{Lang: lang}
		if tsv {
			var ok bool
			if d.ID, d.Text, ok = strings.Cut(line, "\t"); !ok {
				return fmt.Errorf("want two columns, id and text: %w", fault.ErrInvalid)
			}
		} else if err := json.Unmarshal([]byte(line), &d); err != nil {
			return fmt.Errorf("%w: %w", fault.ErrInvalid, err)
		}
		if d.ID == "" {
			return fmt.Errorf("no _id: %w", fault.ErrInvalid)
		}
		if field != "" {
			if d.Group = textOf(line, field); d.Group == "" {
				return fmt.Errorf("no text in field %q, which names the group: %w", field, fault.ErrInvalid)
			}
		}
		docs = append(docs, d)
		return nil
	})
	return docs, err
}

// textOf returns a field of a JSON object that is a text, or "".
func textOf(line, field string) string {
	var fields map[string]json.RawMessage
	var text string
	if json.Unmarshal([]byte(line), &fields) != nil || json.Unmarshal(fields[field], &text) != nil {
		return ""
	}
	return text
}

// Qrels are the grades of relevant documents, by query and document.
type Qrels map[string]map[string]int

// ReadQrels reads three columns with a header line: query, document, grade.
func ReadQrels(name string) (Qrels, error) {
	qrels := Qrels{}
	err := readColumns(name, "query, document and grade", func(f []string) error {
		grade, err := strconv.Atoi(f[2])
		if err != nil {
			return fmt.Errorf("grade %q is no number: %w", f[2], fault.ErrInvalid)
		}
		if grade > 0 {
			if qrels[f[0]] == nil {
				qrels[f[0]] = map[string]int{}
			}
			qrels[f[0]][f[1]] = grade
		}
		return nil
	})
	return qrels, err
}

// readColumns calls f for each line of three columns, or more, after the header;
// what says which they are.
func readColumns(name, what string, f func(columns []string) error) error {
	header := true
	return readLines(name, func(line string) error {
		if header {
			header = false
			return nil
		}
		columns := strings.Split(line, "\t")
		if len(columns) < 3 {
			return fmt.Errorf("want three columns, %s: %w", what, fault.ErrInvalid)
		}
		return f(columns)
	})
}

// readLines calls f for each line that is not empty; its errors get the file's
// name and the line's number.
func readLines(name string, f func(line string) error) (err error) {
	file, err := os.Open(name) //nolint:gosec // the file that the user names
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if line := strings.TrimRight(lines.Text(), "\r"); line != "" {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
