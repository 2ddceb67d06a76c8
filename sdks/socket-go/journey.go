// The journey of the sockets in docs/sdks.md with github.com/zishang520/socket.io.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

const (
	password = "correct horse"
	timeout  = 30 * time.Second
)

var (
	url    = os.Getenv("WINDI_URL")
	events = []string{"connect", "connect_error", "message:created", "read_receipt", "auth:expired", "server:draining"}
)

type object map[string]any

type message struct {
	ID   int64  `json:"id"`
	Seq  int64  `json:"seq"`
	Text string `json:"text"`
}

type receipt struct {
	MessageID int64 `json:"message_id"`
	ReaderID  int64 `json:"reader_id"`
	IsRead    bool  `json:"is_read"`
}

type refusal struct {
	Code string `json:"code"`
}

type ack struct {
	OK       bool    `json:"ok"`
	Data     any     `json:"data"`
	Replayed bool    `json:"replayed"`
	Error    refusal `json:"error"`
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// check ends the journey unless the condition holds.
func check(holds bool, found any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%+v\n", found)
		os.Exit(1)
	}
}

func done(step string) { fmt.Println("ok", step) }

// as is a payload, which the client gives as maps, in a type.
func as[T any](payload any) T {
	text, err := json.Marshal(payload)
	check(err == nil, err)
	var result T
	check(json.Unmarshal(text, &result) == nil, string(text))
	return result
}

// post calls a REST operation and returns its answer.
func post[T any](path string, body object, token string) T {
	text, err := json.Marshal(body)
	check(err == nil, err)
	request, err := http.NewRequest(http.MethodPost, url+path, bytes.NewReader(text))
	check(err == nil, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	check(err == nil, err)
	defer answer.Body.Close()
	check(answer.StatusCode < http.StatusMultipleChoices, path+" "+answer.Status)
	var result T
	check(json.NewDecoder(answer.Body).Decode(&result) == nil, path)
	return result
}

func register(name, email string) int64 {
	return post[message]("/auth/register", object{"name": name, "email": email, "password": password}, "").ID
}

// A device has a session of its own, and all events that it has heard.
type device struct {
	socket *socket.Socket
	// The client sends what is in here at every connection.
	auth   map[string]any
	tokens tokens
	lock   sync.Mutex
	heard  map[string][]any
	more   chan struct{}
}

// newDevice connects with a token.
func newDevice(first tokens) *device {
	d := &device{
		auth: map[string]any{"token": first.Access}, tokens: first, heard: map[string][]any{}, more: make(chan struct{}),
	}
	options := socket.DefaultOptions()
	options.SetForceNew(true)
	options.SetAutoConnect(false)
	options.SetAuth(d.auth)
	// With polling first, the token that the client sends is sometimes lost, and it connects seconds later.
	options.SetTransports(types.NewSet(socket.WebSocket))
	client, err := socket.Connect(url, options)
	check(err == nil, err)
	d.socket = client
	for _, event := range events {
		check(client.On(types.EventName(event), func(args ...any) { d.hear(event, args...) }) == nil, event)
	}
	check(client.On("connect_error", d.returnAfterExpiry) == nil, client)
	client.Connect()
	return d
}

func logIn(email string) *device {
	d := newDevice(post[tokens]("/auth/login", object{"username": email, "password": password}, ""))
	d.until("connect", 1)
	return d
}

// renew gets the next access token, also for the connections to come.
func (d *device) renew() {
	renewal := object{"refresh_token": d.tokens.Refresh, "client_refresh_id": uuid.NewString()}
	d.tokens = post[tokens]("/auth/refresh", renewal, "")
	d.auth["token"] = d.tokens.Access
}

// returnAfterExpiry connects again when the token has expired while the server was away. The client doesn't come back
// after a refusal by itself.
func (d *device) returnAfterExpiry(args ...any) {
	if codeOf(args[0]) == "token_expired" {
		d.renew()
		d.socket.Connect()
	}
}

func (d *device) hear(event string, args ...any) {
	var payload any
	if len(args) > 0 {
		payload = args[0]
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	d.heard[event] = append(d.heard[event], payload)
	close(d.more)
	d.more = make(chan struct{})
}

func (d *device) all(event string) ([]any, <-chan struct{}) {
	d.lock.Lock()
	defer d.lock.Unlock()
	return d.heard[event], d.more
}

// until returns all payloads of an event, as soon as there are so many.
func (d *device) until(event string, count int) []any {
	expired := time.After(timeout)
	for {
		heard, more := d.all(event)
		if len(heard) >= count {
			return heard
		}
		select {
		case <-more:
		case <-expired:
			check(false, "no "+event)
		}
	}
}

// command sends a command and returns its ack.
func (d *device) command(name string, payload object) ack {
	answers := make(chan ack, 1)
	d.socket.Timeout(timeout).EmitWithAck(name, payload)(func(args []any, err error) {
		check(err == nil, err)
		answers <- as[ack](args[0])
	})
	return <-answers
}

// data is that of a positive ack.
func data[T any](answer ack) T {
	check(answer.OK, answer)
	return as[T](answer.Data)
}

// codeOf is the code of a refused connect. It is empty when there was no answer.
func codeOf(err any) string {
	var extended *types.ExtendedError
	if cause, ok := err.(error); ok && errors.As(cause, &extended) {
		return as[refusal](extended.Data).Code
	}
	return ""
}

func main() {
	email, friendEmail := "ada-"+uuid.NewString()+"@example.org", "grace-"+uuid.NewString()+"@example.org"
	grace := register("Grace Hopper", friendEmail)
	register("Ada Lovelace", email)
	phone, laptop, friend := logIn(email), logIn(email), logIn(friendEmail)
	done("connect")

	refused := newDevice(tokens{Access: "bad"}).until("connect_error", 1)
	check(codeOf(refused[0]) == "unauthorized", refused)
	done("refused connect")

	chat := post[message]("/chats", object{"type": "private", "user_id": grace}, phone.tokens.Access).ID
	sending := func(text, key string) object {
		return object{"chat_id": chat, "text": text, "client_message_id": key}
	}
	key := uuid.NewString()
	sent := phone.command("message:send", sending("Привет!", key))
	first := data[message](sent)
	check(first.Seq == 1 && first.Text == "Привет!" && !sent.Replayed, sent)
	done("send")

	again := laptop.command("message:send", sending("Привет!", key))
	check(data[message](again) == first && again.Replayed, again)
	done("replay")

	other := phone.command("message:send", sending("Other", key))
	check(!other.OK && other.Error.Code == "client_message_id_conflict", other)
	done("conflict")

	// Events of a chat come in order: when the second message is there, nothing of the first is under way.
	second := data[message](phone.command("message:send", sending("Второе", uuid.NewString())))
	for _, d := range []*device{phone, laptop, friend} {
		created := as[[]message](d.until("message:created", 2))
		check(len(created) == 2 && created[0] == first && created[1] == second, created)
	}
	done("exactly once")

	read := data[receipt](friend.command("message:read", object{"message_id": second.ID}))
	for _, d := range []*device{phone, laptop} {
		receipts := as[[]receipt](d.until("read_receipt", 1))
		check(receipts[0] == read && read.ReaderID == grace && read.IsRead, receipts)
	}
	done("receipt")

	laptop.socket.Disconnect()
	friend.socket.Disconnect()
	phone.until("auth:expired", 1)
	late := phone.command("message:read", object{"message_id": first.ID})
	check(!late.OK && late.Error.Code == "token_expired", late)
	done("expiry")

	phone.renew()
	refreshed := data[object](phone.command("auth:refresh", object{"token": phone.tokens.Access}))
	check(refreshed["expires_in"].(float64) > 0, refreshed)
	done("refresh")

	fmt.Println("ready")
	draining := as[object](phone.until("server:draining", 1)[0])
	check(draining["reconnect_in_ms"].(float64) > 0, draining)
	done("drain")

	phone.until("connect", 2)
	done("reconnect")

	third := data[message](phone.command("message:send", sending("Третье", uuid.NewString())))
	check(third.Seq == 3, third)
	created := as[[]message](phone.until("message:created", 3))
	check(created[2] == third, created)
	phone.socket.Disconnect()
	done("send again")
}
