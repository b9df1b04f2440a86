package warehouse

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"canopy/models"
	"canopy/warehouse/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// open gives a warehouse in a database of the test's own, without tables.
func open(t *testing.T) *Warehouse {
	t.Helper()
	e := enginetest.Start(t)
	w, err := Open(t.Context(), Config{Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func standard(t *testing.T) *models.Registry {
	t.Helper()
	r, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, c := range []struct {
		config Config
		code   models.Code
		says   string
	}{
		{Config{}, models.Invalid, "no address"},
		{Config{Addr: "x:1", Database: "a;b"}, models.Invalid, "not a database name"},
		{Config{Addr: "x:1", Database: "default"}, models.Invalid, "overlays"},
	} {
		_, err := Open(ctx, c.config)
		if models.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.config, err)
		}
	}
}

func TestOpenSaysThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close() // a port on which nobody listens
	_, err = Open(t.Context(), Config{Addr: addr})
	if models.CodeOf(err) != models.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestOpenSaysThatThePasswordIsWrong(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	_, err := Open(t.Context(), Config{Addr: e.Addr(), User: e.User(), Password: "not-the-password"})
	if models.CodeOf(err) != models.Unauthenticated || strings.Contains(err.Error(), "not-the-password") {
		t.Errorf("%v", err)
	}
}

func TestVersionCheck(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		major, minor uint64
		good         bool
	}{{25, 8, true}, {25, 12, true}, {26, 1, true}, {25, 7, false}, {24, 12, false}} {
		err := checkVersion(v.major, v.minor)
		if (err == nil) != v.good || err != nil && models.CodeOf(err) != models.Precondition {
			t.Errorf("%d.%d: %v", v.major, v.minor, err)
		}
	}
}

func TestConfigurationIsLoggedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "warehouse", Config{Addr: "h:9000", User: "u", Password: "very secret"})
	if strings.Contains(out.String(), "secret") || !strings.Contains(out.String(), "h:9000") {
		t.Error(out.String())
	}
}

// Whatever a caller puts into a parameter arrives as it is, and never as SQL.
func TestParametersArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	w := open(t)
	nasty := "a'b\\c\td\ne\rf\"g`h{x:String}--/*ü漢\u2028'); drop table x; \\N"
	day, _ := models.ParseDate("2017-06-30")
	at := time.Date(2017, 7, 1, 1, 2, 3, 456_000_000, time.FixedZone("", 2*3600))
	type row struct {
		Text   string    `ch:"text"`
		Texts  []string  `ch:"texts"`
		Small  int64     `ch:"small"`
		Big    uint64    `ch:"big"`
		Money  string    `ch:"money"`
		Share  float64   `ch:"share"`
		Yes    bool      `ch:"yes"`
		On     string    `ch:"day"`
		At     time.Time `ch:"instant"`
		Berlin string    `ch:"berlin"`
		Whole  string    `ch:"whole"`
		None   *string   `ch:"none"`
		IDs    []uint64  `ch:"ids"`
		Empty  []string  `ch:"nothing"`
		Maybe  []*string `ch:"maybe"`
	}
	rows, err := Rows[row](t.Context(), w, Query{Name: "echo",
		SQL: `select {text:String} as text, {texts:Array(String)} as texts, {small:Int64} as small, {big:UInt64} as big,
 toString({money:Decimal(18, 4)}) as money, {share:Float64} as share, {yes:Bool} as yes, toString({day:Date32}) as day,
 {instant:DateTime64(3, 'UTC')} as instant, toString({berlin:DateTime64(3, 'Europe/Berlin')}) as berlin, toString({whole:DateTime}) as whole,
 {none:Nullable(String)} as none, {ids:Array(UInt64)} as ids, {nothing:Array(String)} as nothing, {maybe:Array(Nullable(String))} as maybe
 /* {not:String} */ where '{nor:String}' != '' -- {neither:String}`,
		Params: map[string]any{"text": nasty, "texts": []string{nasty, "", "'"}, "small": -5, "big": ^uint64(0), "money": "-12.3456",
			"share": 0.1, "yes": true, "day": day, "instant": at, "berlin": at, "whole": at, "none": nil, "ids": []uint64{1, 1 << 63},
			"nothing": []string{}, "maybe": []any{nil, "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := rows[0]
	if got.Text != nasty || len(got.Texts) != 3 || got.Texts[0] != nasty || got.Texts[1] != "" || got.Texts[2] != "'" {
		t.Errorf("text %q, texts %q", got.Text, got.Texts)
	}
	if got.Small != -5 || got.Big != ^uint64(0) || got.Money != "-12.3456" || got.Share != 0.1 || !got.Yes {
		t.Errorf("%+v", got)
	}
	if got.On != "2017-06-30" || !got.At.Equal(at) || got.Berlin != "2017-07-01 01:02:03.456" || got.Whole != "2017-06-30 23:02:03" {
		t.Errorf("day %s, instant %s, Berlin %s, whole %s", got.On, got.At, got.Berlin, got.Whole)
	}
	if got.None != nil || len(got.IDs) != 2 || got.IDs[1] != 1<<63 || len(got.Empty) != 0 || len(got.Maybe) != 2 || got.Maybe[0] != nil || *got.Maybe[1] != "x" {
		t.Errorf("%+v", got)
	}
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql    string
		params map[string]any
		says   string
	}{
		{"select {a:String}", nil, "parameter a (String) has no value"},
		{"select 1", map[string]any{"b": 1, "a": 1}, "the text has no parameter a, b"},
		{"select {a:UInt8}", map[string]any{"a": "1"}, "UInt8 takes no string"},
		{"select {a:UInt8}", map[string]any{"a": nil}, "takes no empty value"},
		{"select {a:Decimal(18,2)}", map[string]any{"a": 0.1}, "not as float64"},
		{"select {a:Decimal(18,2)}", map[string]any{"a": "1e5"}, "not a decimal"},
		{"select {a:Date}", map[string]any{"a": time.Now()}, "takes no instant"},
		{"select {a:String}", map[string]any{"a": models.Money{}}, "money is two parameters"},
		{"select {a:Array(String)}", map[string]any{"a": "x"}, "takes a slice"},
	} {
		if _, err := bind(c.sql, c.params); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.sql, err)
		}
	}
}

func TestQuestionsKeepTheirLimits(t *testing.T) {
	t.Parallel()
	w := open(t)
	slow := Query{Name: "slow question", SQL: "select sum(sleepEachRow(0.2)) from numbers(200) settings max_block_size = 1", MaxExecution: time.Second}
	if _, err := Value[uint64](t.Context(), w, slow); models.CodeOf(err) != models.Exhausted || !strings.Contains(err.Error(), "slow question") {
		t.Errorf("%v", err)
	}
	big := Query{Name: "big", SQL: "select uniqExact(number) from numbers(20000000)", Settings: map[string]any{"max_memory_usage": 10_000_000}}
	if _, err := Value[uint64](t.Context(), w, big); models.CodeOf(err) != models.Exhausted {
		t.Errorf("%v", err)
	}
	if _, err := Value[uint64](t.Context(), w, Query{Name: "two", SQL: "select number from numbers(2)"}); err == nil {
		t.Error("two rows are no value")
	}
	var last Progress
	n, err := Value[uint64](t.Context(), w, Query{Name: "count", SQL: "select count() from (select number from numbers(3000000) where number >= 0 order by number desc)", Progress: func(p Progress) { last = p }})
	if err != nil || n != 3_000_000 || last.Rows != n {
		t.Errorf("%d rows, progress %+v, %v", n, last, err)
	}
}

// Heavy questions wait for their turn: with one place, the second starts when the first is through.
func TestHeavyQuestionsTakeTurns(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	w, err := Open(t.Context(), Config{Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(t), HeavyQueries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	inside, leave := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- w.Select(t.Context(), Query{Name: "first", SQL: "select 1", Heavy: true}, func(rows driver.Rows) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Value[uint8](ctx, w, Query{Name: "second", SQL: "select 2", Heavy: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := Value[uint8](t.Context(), w, Query{Name: "light", SQL: "select 3"}); err != nil {
		t.Error(err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := Value[uint8](t.Context(), w, Query{Name: "third", SQL: "select 4", Heavy: true}); err != nil {
		t.Error(err)
	}
}

// A pool's sockets die with the engine. The next question gets a new one without its caller noticing.
func TestQuestionsSurviveAnEngineThatDied(t *testing.T) {
	w := open(t) // not parallel: it ends the engine that the others use
	e := enginetest.Start(t)
	if _, err := Value[uint8](t.Context(), w, Query{Name: "before", SQL: "select 1"}); err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(e.Status().PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if v, err := Value[uint8](t.Context(), w, Query{Name: "after", SQL: "select 2"}); err != nil || v != 2 {
		t.Errorf("%d, %v", v, err)
	}
}
