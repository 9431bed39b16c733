package simulate

import "testing"

func TestRare(t *testing.T) {
	for _, v := range []Variant{TellUnlocked, DropWithSuperseded, CheckBeforeLock, RangeBeforeSwitch, GateJobNoTurn, NotifyWritten, NoTurn} {
		n := map[theme]int{}
		for seed := range uint64(10000) {
			if r := Run(seed, v); len(r.Faults) > 0 {
				n[newWorld(seed, v, nil).theme]++
				if n[mixed] == 1 {
				}
				_ = r
			}
		}
		t.Log(v, n)
	}
}
