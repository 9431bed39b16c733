package api_test

import (
	"cmp"
	"testing"

	"github.com/jackc/pgx/v5"

	"kobling/internal/api"
	"kobling/internal/audit"
)

func TestDeadLettersAndTheIndexAreShown(t *testing.T) {
	t.Parallel()
	s := start(t)
	db, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	_, err = db.Exec(t.Context(), `INSERT INTO dead_letter (subject, seq, header, data, reason)
		SELECT 'intake.need.acme.n' || n, n, '{"ce-id":["1"]}', convert_to(repeat('x', 100000), 'UTF8'), repeat('r', 200000) FROM generate_series(1, 3) n`)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for q := (api.LettersQuery{Limit: 2}); ; {
		page := ask[api.DeadLetters](t, s, api.OpDeadLetters, "dead_letters", q)
		for _, l := range page.Items {
			ids = append(ids, l.ID)
			if l.Bytes != 100000 || l.ProfileID == "" {
				t.Errorf("letter %s has %d bytes, of %q", l.ID, l.Bytes, l.ProfileID)
			}
		}
		if q.Offset = page.Next; page.Next == 0 {
			break
		}
	}
	if len(ids) != 3 || ids[0] != "intake.need.acme.n3@3" {
		t.Fatalf("letters %v", ids)
	}
	q := api.LetterQuery{ID: ids[1]}
	if l := ask[api.DeadLetter](t, s, api.OpDeadLetter, "dead_letter", q); len(l.Data) == 0 || len(l.Data) >= l.Bytes || l.Header["ce-id"][0] != "1" {
		t.Errorf("letter %s shows %d of %d bytes, header %v", l.ID, len(l.Data), l.Bytes, l.Header)
	}
	ask[struct{}](t, s, api.OpDrop, "nothing", q)
	if b, code := s.raw(t, api.OpDrop, `{"id":"`+q.ID+`"}`); code != "not found" {
		t.Errorf("dropped twice: %s %s", code, b)
	}
	if r := ask[api.Retried](t, s, api.OpRetry, "retried", api.LetterQuery{ID: ids[2]}); r.Sequence == 0 {
		t.Error("a retry has no sequence")
	}

	all := ask[api.IndexContents](t, s, api.OpIndex, "index_contents", api.IndexQuery{})
	if len(all.Digests) != 8*audit.Buckets {
		t.Errorf("%d bytes of digests", len(all.Digests))
	}
	bucket := 0
	ask[api.IndexContents](t, s, api.OpIndex, "index_contents", api.IndexQuery{Bucket: &bucket})
	for _, tt := range []struct{ op, body, code string }{
		{api.OpIndex, `{"bucket":1024}`, "invalid"},
		{api.OpIndex, `{"bucket":-1}`, "invalid"},
		{api.OpDeadLetters, `{"offset":-1}`, "invalid"},
		{api.OpDeadLetter, `{"id":"x"}`, "invalid"},
		{api.OpRetry, `{"id":"x@0"}`, "invalid"},
		{api.OpDrop, `{}`, "invalid"},
		{api.OpRetry, `{"id":"x@1"}`, "not found"},
	} {
		if b, code := s.raw(t, tt.op, tt.body); code != tt.code {
			t.Errorf("%s %s: %s, want %s: %s", tt.op, tt.body, cmp.Or(code, "taken"), tt.code, b)
		}
	}
}
