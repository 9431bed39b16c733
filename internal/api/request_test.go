package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
)

// badRequestsAreRefused: the code says whose fault it is, the body what to mend.
func badRequestsAreRefused(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	long := strings.Repeat("x", 4001)
	const invalid, missing = "invalid", "not found"
	for _, tt := range []struct{ op, body, code, says string }{
		{api.OpStatus, `not json`, invalid, "invalid character"},
		{api.OpStatus, `{} {}`, invalid, "more follows"},
		{api.OpStatus, `{"verbose":true}`, invalid, `unknown field "verbose"`},
		{api.OpStatus, `[]`, invalid, "cannot unmarshal array"},

		{api.OpReceipt, ``, invalid, "profile_id"},
		{api.OpReceipt, `{"profile_id":"need.*.fall","intake_seq":1}`, invalid, `"*" must be 1 to 64`},
		{api.OpReceipt, `{"profile_id":"need.a.>","intake_seq":1}`, invalid, "profile_id"},
		{api.OpReceipt, `{"profile_id":"need.a.b","intake_seq":-1}`, invalid, "intake_seq"},
		{api.OpReceipt, `{"profile_id":"need.a.b","seq":1}`, invalid, `unknown field "seq"`},

		{api.OpSuggestions, `{"profile":"fall"}`, invalid, "profile: "},
		{api.OpSuggestions, `{"min_band":"weak"}`, invalid, "possible, strong"},
		{api.OpSuggestions, `{"limit":-1}`, invalid, "must not be negative"},
		{api.OpSuggestions, `{"offset":-1}`, invalid, "must not be negative"},
		{api.OpSuggestions, `{"limit":"ten"}`, invalid, "limit"},
		{api.OpSuggestions, `{"cluster":"a b"}`, invalid, "cluster: "},
		{api.OpSuggestions, `{"language":"fi"}`, invalid, `unknown field "language"`},

		{api.OpSearch, `{"text":""}`, invalid, "1 to 4000 bytes"},
		{api.OpSearch, `{"text":"  "}`, invalid, "1 to 4000 bytes"},
		{api.OpSearch, `{"text":"` + long + `"}`, invalid, "1 to 4000 bytes"},
		{api.OpSearch, `{"text":"fall","side":"both"}`, invalid, "demand, supply"},
		{api.OpSearch, `{"text":"fall","limit":-1}`, invalid, "must not be negative"},

		{api.OpExplain, `{}`, invalid, "demand_id"},
		{api.OpExplain, `{"demand_id":"need.a.b","supply_id":"offer.a"}`, invalid, "supply_id"},
		{api.OpExplain, `{"demand_id":"need.a.b","supply_id":"need.a.c"}`, invalid, "not need and need"},
		{api.OpExplain, `{"demand_id":"need.a.b","supply_id":"offer.a.c"}`, missing, "need.a.b"},

		{api.OpSubscribe, `{}`, invalid, "email, webhook"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"Aino <aino@example.org>"}`, invalid, "not an e-mail address"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@b.c\r\nBcc: x@example.org"}`, invalid, "not an e-mail address"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"` + long + `@example.org"}`, invalid, "longer than 2000 bytes"},
		{api.OpSubscribe, `{"cluster":"default","channel":"webhook","address":"ftp://example.org"}`, invalid, "https://host/path"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@example.org","min_band":"weak"}`, invalid, "possible, strong"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@example.org","language":"xx"}`, invalid, `"xx" is not one of da, nb`},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@example.org","name":"A\nB"}`, invalid, "one line"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@example.org","name":"` + long + `"}`, invalid, "at most"},
		{api.OpSubscribe, `{"cluster":"no where","channel":"email","address":"a@example.org"}`, invalid, "cluster: "},
		{api.OpSubscribe, `{"cluster":"nowhere","channel":"email","address":"a@example.org"}`, missing, "nowhere"},
		{api.OpSubscribe, `{"cluster":"default","channel":"email","address":"a@example.org","secret":"x"}`, invalid, `unknown field "secret"`},

		{api.OpUnknown, `{"after":"seven"}`, invalid, "after"},
		{api.OpUnknown, `{"lang":"da"}`, invalid, "lang"},
		{api.OpUnsubscribe, `{"id":"seven"}`, invalid, "invalid UUID"},
		{api.OpUnsubscribe, `{"id":"01a20da4-9f72-7c75-8cb4-881a59bf57de"}`, missing, "01a20da4-9f72-7c75-8cb4-881a59bf57de"},
	} {
		answer, code := s.raw(t, tt.op, tt.body)
		if code != tt.code || !strings.Contains(string(answer), tt.says) || strings.Contains(string(answer), "SQLSTATE") {
			t.Errorf("%s %.80s: %q %s, want %q with %q", tt.op, tt.body, code, answer, tt.code, tt.says)
		}
	}
	// Nothing at all asks with no fields.
	for _, body := range []string{"", "{}", " \n"} {
		answer, code := s.raw(t, api.OpStatus, body)
		var st api.Status
		if err := json.Unmarshal(answer, &st); code != "" || err != nil || st.Version != "test" {
			t.Errorf("status %q = %s %s, %v", body, code, answer, err)
		}
	}
}

func receiptsFollow(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	const id profile.ID = "need.receipts.one"
	receipt := func(seq uint64) api.Receipt {
		t.Helper()
		return ask[api.Receipt](t, s, api.OpReceipt, "receipt", api.ReceiptQuery{ProfileID: id, IntakeSeq: seq})
	}
	if r := receipt(1); r.State != api.Waits {
		t.Errorf("of a profile that nobody knows: %+v", r)
	}
	good := of(id, "NO", text("nb", "Proteinstruktur"))
	s.publish(t, good)
	first := s.submit(t, event.TypeSubmitted, id, good)
	s.await(t, id, first)
	if r := receipt(first); r.State != api.Accepted || r.Revision != 2 || r.Status != string(profile.Published) || !r.Matched {
		t.Errorf("accepted: %+v", r)
	}
	if r := receipt(first + 1_000_000); r.State != api.Waits {
		t.Errorf("of a submission to come: %+v", r)
	}
	bad := good
	bad.TRL = &profile.TRL{Min: 3, Max: 12}
	refused := s.submit(t, event.TypeSubmitted, id, bad)
	last := s.submit(t, event.TypeWithdrawn, id, struct{}{})
	s.await(t, id, refused)
	s.await(t, id, last)
	if r := receipt(refused); r.State != api.Rejected || len(r.Faults) != 1 || r.Faults[0].Path != "/trl/max" {
		t.Errorf("refused: %+v", r)
	}
	if r := receipt(first); r.State != api.Superseded || r.Status != string(profile.Withdrawn) {
		t.Errorf("superseded: %+v", r)
	}
	if r := receipt(last); r.State != api.Accepted || r.Status != string(profile.Withdrawn) || !r.Matched {
		t.Errorf("withdrawn: %+v", r)
	}
	st := ask[api.Status](t, s, api.OpStatus, "status", struct{}{})
	if len(st.Checks) == 0 || st.Rejections != 1 || st.IndexApplied == 0 || st.Version != "test" {
		t.Errorf("status = %+v", st)
	}
}
