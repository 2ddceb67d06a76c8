// The journey of docs/sdks.md with ogen.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/google/uuid"
	"github.com/ogen-go/ogen/ogenerrors"

	windi "windi/go-ogen/generated"
)

const (
	password = "correct horse"
	nowhere  = 999_999_999
)

var ctx = context.Background()

// session holds the access token. ogen asks for each of the two schemes; one is enough.
type session struct{ token string }

func (s *session) Bearer(context.Context, windi.OperationName) (windi.Bearer, error) {
	return windi.Bearer{Token: s.token}, nil
}

func (s *session) Password(context.Context, windi.OperationName) (windi.Password, error) {
	return windi.Password{}, ogenerrors.ErrSkipClientSecurity
}

func clientOf(url string, source *session) *windi.Client {
	client, err := windi.NewClient(url, source)
	check(err == nil, err)
	return client
}

// check ends the journey unless the condition holds.
func check(holds bool, found any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%+v\n", found)
		os.Exit(1)
	}
}

// as is the answer of the wanted type; any other ends the journey.
func as[T any](answer any, err error) T {
	check(err == nil, err)
	wanted, ok := answer.(T)
	check(ok, answer)
	return wanted
}

func done(step string) { fmt.Println("ok", step) }

func register(api *windi.Client, name, email string) int64 {
	answer, err := api.Register(ctx, &windi.Register{Name: name, Email: email, Password: password})
	return as[*windi.AccountHeaders](answer, err).Response.ID
}

func main() {
	source := &session{}
	api, tomorrow := clientOf(os.Getenv("WINDI_URL"), source), clientOf(os.Getenv("WINDI_TOMORROW_URL"), source)
	email, friendEmail := "ada-"+uuid.NewString()+"@example.org", "grace-"+uuid.NewString()+"@example.org"

	grace := register(api, "Grace Hopper", friendEmail)
	ada := register(api, "Ada Lovelace", email)
	done("register")

	opened, err := api.Login(ctx, &windi.Grant{Username: windi.NewOptString(email), Password: windi.NewOptString(password)})
	tokens := as[*windi.TokensHeaders](opened, err).Response
	source.token = tokens.AccessToken
	done("login")

	me, err := api.GetMe(ctx)
	check(as[*windi.AccountHeaders](me, err).Response.ID == ada, me)
	done("me")

	found, err := api.SearchUsers(ctx, windi.SearchUsersParams{Query: friendEmail})
	users := as[*windi.SearchUsersOKHeaders](found, err).Response
	check(len(users) == 1 && users[0].ID == grace, users)
	done("find a user")

	private := windi.NewCreatePrivateChatCreateChat(windi.CreatePrivateChat{
		Type: windi.CreatePrivateChatTypePrivate, UserID: grace,
	})
	created, err := api.CreateChat(ctx, private)
	chat := as[*windi.NewGroupHeaders](created, err).Response
	check(chat.LastMessage.IsNull(), chat)
	done("private chat")

	sent := windi.SendMessage{
		ChatID: chat.ID, Text: "Привет!", ClientMessageID: windi.NewOptString(uuid.NewString()),
	}
	first, err := api.SendMessage(ctx, &sent, windi.SendMessageParams{})
	message := as[*windi.SendMessageCreatedHeaders](first, err).Response
	done("send")

	again, err := api.SendMessage(ctx, &sent, windi.SendMessageParams{})
	replay := as[*windi.MessageHeaders](again, err)
	check(replay.Response.ID == message.ID, replay)
	check(replay.IdempotentReplayed.Value == windi.SendMessageOKIdempotentReplayedTrue, replay)
	done("replay")

	sent.Text = "Other"
	other, err := api.SendMessage(ctx, &sent, windi.SendMessageParams{})
	check(as[*windi.SendMessageConflict](other, err).Response.Code == "client_message_id_conflict", other)
	done("conflict")

	page, err := api.GetHistory(ctx, windi.GetHistoryParams{ChatID: chat.ID})
	history := as[*windi.GetHistoryOKHeaders](page, err)
	check(len(history.Response) == 1 && history.Response[0].Text.Value == "Привет!", history)
	check(history.XTotalCount.Value == 1, history)
	done("history")

	receipt, err := api.ReadMessage(ctx, windi.ReadMessageParams{ID: message.ID})
	check(as[*windi.ReadReceiptHeaders](receipt, err).Response.MessageID == message.ID, receipt)
	done("read")

	made, err := api.CreateGroup(ctx, &windi.CreateGroup{Name: "Engines"})
	group := as[*windi.NewGroupHeaders](made, err).Response.ID
	done("group")

	member, err := api.AddMember(ctx, windi.AddMemberParams{GroupID: group, UserID: grace})
	check(as[*windi.MemberHeaders](member, err).Response.Role == windi.RoleMember, member)
	done("add member")

	removed, err := api.RemoveMember(ctx, windi.RemoveMemberParams{GroupID: group, UserID: grace})
	as[*windi.RemoveMemberNoContent](removed, err)
	done("remove member")

	edited, err := api.EditMessage(ctx, &windi.EditMessage{Text: "Hello"}, windi.EditMessageParams{ID: message.ID})
	edit := as[*windi.SendMessageCreatedHeaders](edited, err).Response
	check(edit.Text.Value == "Hello" && !edit.EditedAt.IsNull(), edit)
	done("edit")

	deleted, err := api.DeleteMessage(ctx, windi.DeleteMessageParams{ID: message.ID})
	check(as[*windi.SendMessageCreatedHeaders](deleted, err).Response.Text.IsNull(), deleted)
	done("delete")

	cursors := windi.SyncRequestCursors{strconv.FormatInt(chat.ID, 10): {Seq: 1, ChangeSeq: 0}}
	synced, err := api.Sync(ctx, &windi.SyncRequest{Cursors: cursors})
	check(hasDeletion(as[*windi.NewsHeaders](synced, err).Response, chat.ID), synced)
	done("sync")

	renewed, err := api.Refresh(ctx, &windi.Refresh{
		RefreshToken: tokens.RefreshToken, ClientRefreshID: windi.NewOptString(uuid.NewString()),
	})
	source.token = as[*windi.TokensHeaders](renewed, err).Response.AccessToken
	done("refresh")

	missing, err := api.GetChat(ctx, windi.GetChatParams{ID: nowhere})
	check(as[*windi.GetChatNotFound](missing, err).Response.Code == "chat_not_found", missing)
	done("typed error")

	unknown, err := tomorrow.GetChat(ctx, windi.GetChatParams{ID: nowhere})
	check(as[*windi.GetChatNotFound](unknown, err).Response.Code == "code_of_tomorrow", unknown)
	done("unknown code")

	me, err = tomorrow.GetMe(ctx)
	check(as[*windi.AccountHeaders](me, err).Response.ID == ada, me)
	done("unknown field")
}

// hasDeletion tells whether the news of a chat begin with a deleted message.
func hasDeletion(news windi.News, chat int64) bool {
	for _, item := range news.Chats {
		if item.ID == chat {
			return len(item.Messages) == 1 && !item.Messages[0].DeletedAt.IsNull()
		}
	}
	return false
}
